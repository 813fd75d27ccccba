package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/session"
)

// cacheTTL is longer than a run, so that nothing but an invalidation replaces
// what is cached, and short enough to leave little behind on a shared server.
const cacheTTL = 5 * time.Minute

// negativeTTL is how long an unknown package is remembered.
const negativeTTL = 10 * time.Second

// topSize is the length of the aggregate.
const topSize = 25

// app is one instance of the application: a database, a cache for each kind of
// answer, who is logged in, and what has changed.
type app struct {
	name  string
	store *store
	conn  conn.Conn
	// prefix begins the namespaces and the tags of a run.
	prefix string
	// skipInvalidation makes writes forget the caches.
	skipInvalidation bool

	pages     *larder.Cache[string, packagePage]
	searches  *larder.Cache[searchKey, searchResult]
	importers *larder.Cache[string, importerList]
	tops      *larder.Cache[int, topList]

	sessions *session.Store[visit]
	visitors *session.Middleware[visit]
	changes  *event.Topic[change]
	feed     http.Handler // the changes, for browsers

	writes atomic.Uint64
}

type searchKey struct {
	Query string
	Limit int
}

// newApp makes an application over s and c, both of which it then owns.
func newApp(name, prefix string, s *store, c conn.Conn) (_ *app, err error) {
	a := &app{name: name, store: s, conn: c, prefix: prefix}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	tags := func(things ...string) []string {
		for i := range things {
			things[i] = prefix + "-" + things[i]
		}
		return things
	}
	// A page is dropped by its key, everything else by tag.
	a.pages, err = larder.New(c, larder.Options[string, packagePage]{
		Namespace:   prefix + "-page",
		TTL:         cacheTTL,
		NegativeTTL: negativeTTL,
		Load:        s.packagePage,
	})
	if err != nil {
		return nil, err
	}
	a.searches, err = larder.New(c, larder.Options[searchKey, searchResult]{
		Namespace: prefix + "-search",
		TTL:       cacheTTL,
		Load: func(ctx context.Context, k searchKey) (searchResult, error) {
			return s.search(ctx, k.Query, k.Limit)
		},
		Tags: func(k searchKey) []string { return tags(searchThing(k.Query)) },
	})
	if err != nil {
		return nil, err
	}
	a.importers, err = larder.New(c, larder.Options[string, importerList]{
		Namespace:   prefix + "-importers",
		TTL:         cacheTTL,
		NegativeTTL: negativeTTL,
		Load:        s.importers,
		Tags:        func(path string) []string { return tags(packageThing(path)) },
	})
	if err != nil {
		return nil, err
	}
	a.tops, err = larder.New(c, larder.Options[int, topList]{
		Namespace: prefix + "-top",
		TTL:       cacheTTL,
		Load:      s.top,
		Tags:      func(int) []string { return tags(statsThing) },
	})
	if err != nil {
		return nil, err
	}
	a.sessions, err = session.New[visit](c, session.Options{Namespace: prefix + "-session", Lifetime: sessionLifetime})
	if err != nil {
		return nil, err
	}
	a.visitors, err = session.NewMiddleware(a.sessions, session.CookieOptions{Insecure: true}) // there is no TLS
	if err != nil {
		return nil, err
	}
	a.changes, err = event.NewTopic[change](c, prefix+"-changes", event.Options{Durable: true, Retention: cacheTTL})
	if err != nil {
		return nil, err
	}
	a.feed, err = event.SSE(a.changes, event.SSEOptions{})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// edit changes a package and, if symbol is not empty, one of its symbols,
// invalidates every answer that shows them, and then tells of it: who hears of a
// change and asks gets what was written. It returns the new versions of what was
// written, and the id of the change, once all is done.
func (a *app) edit(ctx context.Context, path, symbol, by string) (_ []revision, change string, err error) {
	// A caller that gives up must not keep the caches from hearing of a row
	// that was committed.
	ctx = context.WithoutCancel(ctx)
	written, err := a.store.edit(ctx, path, symbol)
	if err != nil {
		return nil, "", err
	}
	a.writes.Add(1)
	if !a.skipInvalidation {
		if err := a.invalidate(ctx, path, written); err != nil {
			return nil, "", err
		}
	}
	change, err = a.tell(ctx, path, written[0].Version, by)
	return written, change, err
}

func (a *app) invalidate(ctx context.Context, path string, written []revision) error {
	tags := make([]string, len(written))
	for i, w := range written {
		tags[i] = a.prefix + "-" + w.Thing
	}
	if err := errors.Join(a.pages.Invalidate(ctx, path), larder.InvalidateTags(ctx, a.conn, tags...)); err != nil {
		return fmt.Errorf("demo: invalidate: %w", err)
	}
	return nil
}

// tell publishes a change and returns its id.
func (a *app) tell(ctx context.Context, path string, version int64, by string) (id string, err error) {
	id, err = a.changes.Publish(ctx, change{Package: path, Version: version, By: by, At: time.Now().UnixMicro()})
	if err != nil {
		return "", fmt.Errorf("demo: tell of a change: %w", err)
	}
	return id, nil
}

// close ends the caches, the connection and the database.
func (a *app) close() error {
	var errs []error
	if a.pages != nil {
		errs = append(errs, a.pages.Close())
	}
	if a.searches != nil {
		errs = append(errs, a.searches.Close())
	}
	if a.importers != nil {
		errs = append(errs, a.importers.Close())
	}
	if a.tops != nil {
		errs = append(errs, a.tops.Close())
	}
	if a.sessions != nil {
		errs = append(errs, a.sessions.Close())
	}
	if a.changes != nil {
		errs = append(errs, a.changes.Close())
	}
	return errors.Join(append(errs, a.conn.Close(), a.store.close())...)
}
