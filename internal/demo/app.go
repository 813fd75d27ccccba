package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/session"
	"github.com/larder-go/larder/strategy"
	"github.com/larder-go/larder/telemetry"
)

// cacheTTL is longer than a run, so that nothing but an invalidation replaces
// what is cached, and short enough to leave little behind on a shared server.
const cacheTTL = 5 * time.Minute

// topSize is the length of the aggregate.
const topSize = 25

// answers is what the application can be asked.
type answers interface {
	packagePage(ctx context.Context, path string) (packagePage, error)
	search(ctx context.Context, query string, limit int) (searchResult, error)
	importers(ctx context.Context, path string) (importerList, error)
	top(ctx context.Context, limit int) (topList, error)
}

// cache gives the same answers as the database behind it.
type cache interface {
	answers
	// edit is that of the store; when it returns, what was cached is invalidated.
	edit(ctx context.Context, path, symbol string) ([]revision, error)
	counters() counters
	// declare says what it keeps, and why.
	declare(r *strategy.Registry) error
	close() error
}

// app is one instance of the application: a database, a cache of its answers, who is
// logged in, and what has changed.
type app struct {
	name   string
	store  *store
	cached cache
	conn   conn.Conn
	// skipInvalidation makes writes forget the cache.
	skipInvalidation bool

	sessions *session.Store[visit]
	visitors *session.Middleware[visit]
	logins   *ratelimit.Limiter
	changes  *event.Topic[change]
	feed     http.Handler // the changes, for browsers
	declared *strategy.Registry

	// telemetry watches all of it, and is ended last.
	telemetry *telemetry.Telemetry

	dashboard *dashboard.Dashboard // nil but in the first instance

	writes atomic.Uint64
}

// newApp makes an application over s, cached, c and tel, which it then owns. prefix begins
// the names of what it keeps in Redis.
func newApp(name, prefix string, s *store, cached cache, c conn.Conn, tel *telemetry.Telemetry) (_ *app, err error) {
	a := &app{name: name, store: s, cached: cached, conn: c, telemetry: tel}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	a.sessions, err = session.New[visit](c, session.Options{Namespace: prefix + "-session", Lifetime: sessionLifetime, Observer: tel})
	if err != nil {
		return nil, err
	}
	a.visitors, err = session.NewMiddleware(a.sessions, session.CookieOptions{Insecure: true}) // there is no TLS
	if err != nil {
		return nil, err
	}
	a.logins, err = ratelimit.New(c, ratelimit.Options{
		Prefix: prefix + "-login", Algorithm: loginLimit, Analytics: true, Retention: sessionLifetime, Observer: tel,
	})
	if err != nil {
		return nil, err
	}
	a.changes, err = event.NewTopic[change](c, prefix+"-changes", event.Options{Durable: true, Retention: cacheTTL, Observer: tel})
	if err != nil {
		return nil, err
	}
	a.feed, err = event.SSE(a.changes, event.SSEOptions{})
	if err != nil {
		return nil, err
	}
	a.declared, err = a.declare()
	return a, err
}

// edit changes a package and, if symbol is not empty, one of its symbols,
// invalidates every answer that shows them, and then tells of it: who hears of a
// change and asks gets what was written. It returns the new versions of what was
// written, and the id of the change, once all is done.
func (a *app) edit(ctx context.Context, path, symbol, by string) (_ []revision, change string, err error) {
	// A caller that gives up must not keep the caches from hearing of a row
	// that was committed.
	ctx = context.WithoutCancel(ctx)
	edit := a.cached.edit
	if a.skipInvalidation {
		edit = a.store.edit
	}
	written, err := edit(ctx, path, symbol)
	if err != nil {
		return nil, "", err
	}
	a.writes.Add(1)
	change, err = a.tell(ctx, path, written[0].Version, by)
	return written, change, err
}

// tell publishes a change and returns its id.
func (a *app) tell(ctx context.Context, path string, version int64, by string) (id string, err error) {
	id, err = a.changes.Publish(ctx, change{Package: path, Version: version, By: by, At: time.Now().UnixMicro()})
	if err != nil {
		return "", fmt.Errorf("demo: tell of a change: %w", err)
	}
	return id, nil
}

// close ends the cache, the connection and the database.
func (a *app) close() error {
	var errs []error
	if a.dashboard != nil {
		errs = append(errs, a.dashboard.Close())
	}
	if a.declared != nil {
		errs = append(errs, a.declared.Close())
	}
	if a.logins != nil {
		errs = append(errs, a.logins.Close())
	}
	if a.sessions != nil {
		errs = append(errs, a.sessions.Close())
	}
	if a.changes != nil {
		errs = append(errs, a.changes.Close())
	}
	errs = append(errs, a.cached.close())
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return errors.Join(append(errs, a.telemetry.Close(ctx), a.conn.Close(), a.store.close())...)
}
