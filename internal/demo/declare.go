package demo

import (
	"errors"
	"net/http"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/strategy"
)

// service is the demo's name in the strategy of a Redis.
const service = "larder-demo"

// owner is who the documents send a reader to.
const owner = "the demo's authors"

// edits is the request that changes the source.
const edits = "POST /package/<path>"

// declare publishes what the application keeps in Redis, and why. What is declared is
// forgotten soon after a run, as all that it leaves.
func (a *app) declare() (*strategy.Registry, error) {
	r, err := strategy.New(a.conn, strategy.Options{Service: service, Keep: cacheTTL, Strict: true})
	if err != nil {
		return nil, err
	}
	err = errors.Join(a.cached.declare(r), a.declareOwn(r))
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// declareOwn declares what stands beside the caches.
func (a *app) declareOwn(r *strategy.Registry) error {
	return errors.Join(
		r.Declare(a.sessions, strategy.About{
			Purpose:       "who is logged in, and how many answers they have looked at and packages they have changed, on whichever instance",
			Owner:         owner,
			Criticality:   strategy.High,
			Why:           "a run takes minutes; an hour leaves little behind on a shared server",
			Staleness:     "none: each request reads its session from Redis",
			Invalidation:  "POST /logout destroys the session, and no instance knows it from then on",
			WrittenBy:     []string{"POST /login", "every request of somebody who is logged in"},
			ReadBy:        []string{"GET /session"},
			InvalidatedBy: []string{"POST /logout"},
			WarmUp:        "none: it is the source",
		}),
		r.Declare(a.logins, strategy.About{
			Purpose:      "how often a user may try to log in, over all instances",
			Owner:        owner,
			Criticality:  strategy.Medium,
			Why:          "two windows and a second: the previous window still counts in a sliding one",
			Staleness:    "a user who was refused is refused from memory, without asking Redis, for up to a minute",
			Invalidation: "none: the window moves on",
			WrittenBy:    []string{"POST /login"},
		}),
		r.Declare(a.changes, strategy.About{
			Purpose:      "tells browsers of each edit once the caches have dropped what it changed: who hears of it and asks gets what was written",
			Owner:        owner,
			Criticality:  strategy.Medium,
			Why:          "a browser that was away for longer reads everything anew",
			Staleness:    "subscribers hear within a round trip; one who was away catches up from the last id seen",
			Invalidation: "none: old messages go as new ones come",
			WrittenBy:    []string{edits},
			ReadBy:       []string{"GET /changes"},
		}),
	)
}

// declare says what the caches of whole answers are.
func (h *caches) declare(r *strategy.Registry) error {
	const (
		why       = "longer than a run, so that nothing but an invalidation replaces what is cached, and short enough to leave little behind on a shared server"
		staleness = "none in the instance that edits; less than a millisecond in the other, a second where the connection to Redis is dead"
		warmUp    = "none: the first reader of each loads it"
	)
	return errors.Join(
		r.Declare(h.pages, strategy.About{
			Purpose:       "the page of a package: its documentation, symbols and imports",
			Owner:         owner,
			Criticality:   strategy.Medium,
			Why:           why,
			Staleness:     staleness,
			Invalidation:  "by key: an edit invalidates the page of its package, once the transaction is committed and before it answers",
			Source:        []string{"SQLite: packages, symbols, docs, imports"},
			ReadBy:        []string{"GET /package/<path>"},
			InvalidatedBy: []string{edits},
			WarmUp:        warmUp,
		}),
		r.Declare(h.searches, strategy.About{
			Purpose:       "what a search for symbols finds",
			Owner:         owner,
			Criticality:   strategy.High,
			Why:           why,
			Staleness:     staleness,
			Invalidation:  "by tag: an edit of a symbol invalidates all searches that begin with its word's first two letters",
			Source:        []string{"SQLite: packages, symbols, docs, imports"},
			ReadBy:        []string{"GET /search"},
			InvalidatedBy: []string{edits},
			Tags:          h.tags("search:<first two letters>"),
			WarmUp:        warmUp,
		}),
		r.Declare(h.importing, strategy.About{
			Purpose:       "which packages import a package",
			Owner:         owner,
			Criticality:   strategy.Low,
			Why:           why,
			Staleness:     staleness,
			Invalidation:  "by tag: an edit invalidates the tag of its package",
			Source:        []string{"SQLite: packages, symbols, docs, imports"},
			ReadBy:        []string{"GET /importers/<path>"},
			InvalidatedBy: []string{edits},
			Tags:          h.tags(packageThing("<path>")),
			WarmUp:        warmUp,
		}),
		r.Declare(h.tops, strategy.About{
			Purpose:       "the packages that are imported most, an aggregate over all tables",
			Owner:         owner,
			Criticality:   strategy.High,
			Why:           why,
			Staleness:     staleness,
			Invalidation:  "by tag: each edit invalidates it",
			Source:        []string{"SQLite: packages, symbols, docs, imports"},
			ReadBy:        []string{"GET /stats"},
			InvalidatedBy: []string{edits},
			Tags:          h.tags(statsThing),
			WarmUp:        warmUp,
		}),
	)
}

// declare says what the cache below the statements is.
func (s statements) declare(r *strategy.Registry) error {
	subject, err := sqlcache.Describe(s.read)
	if err != nil {
		return err
	}
	return r.Declare(subject, strategy.About{
		Purpose:       "what each SELECT of the application brings",
		Owner:         owner,
		Criticality:   strategy.Medium,
		Why:           "longer than a run, so that nothing but an invalidation replaces what is cached; it also bounds what a write past the wrapper leaves behind",
		Staleness:     "none in the instance that edits; less than a millisecond in the other, a second where the connection to Redis is dead",
		Invalidation:  "by table: the wrapper sees the statements of a transaction and drops what they change with its commit",
		Source:        []string{"PostgreSQL: schema larder_demo"},
		ReadBy:        []string{"GET /package/<path>", "GET /search", "GET /importers/<path>", "GET /stats"},
		InvalidatedBy: []string{edits},
		WarmUp:        "none: the first reader of each loads it",
	})
}

// strategyOf serves the strategy of everything on a Redis, as Markdown.
func strategyOf(c conn.Conn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		doc, err := strategy.Read(r.Context(), c)
		if err != nil {
			writeError(w, http.StatusServiceUnavailable, err)
			return
		}
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		_, _ = w.Write([]byte(doc.Markdown())) // who has gone does not miss it
	}
}
