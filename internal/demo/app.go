package demo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// cacheTTL is longer than a run, so that nothing but an invalidation replaces
// what is cached, and short enough to leave little behind on a shared server.
const cacheTTL = 5 * time.Minute

// negativeTTL is how long an unknown package is remembered.
const negativeTTL = 10 * time.Second

// topSize is the length of the aggregate.
const topSize = 25

// app is one instance of the application: a database and a cache for each kind
// of answer.
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
	return a, nil
}

// edit changes a package and, if symbol is not empty, one of its symbols, and
// invalidates every answer that shows them. It returns the new versions of what
// was written once both are done.
func (a *app) edit(ctx context.Context, path, symbol string) ([]revision, error) {
	// A caller that gives up must not keep the caches from hearing of a row
	// that was committed.
	ctx = context.WithoutCancel(ctx)
	written, err := a.store.edit(ctx, path, symbol)
	if err != nil {
		return nil, err
	}
	a.writes.Add(1)
	if a.skipInvalidation {
		return written, nil
	}
	tags := make([]string, len(written))
	for i, w := range written {
		tags[i] = a.prefix + "-" + w.Thing
	}
	if err := errors.Join(a.pages.Invalidate(ctx, path), larder.InvalidateTags(ctx, a.conn, tags...)); err != nil {
		return nil, fmt.Errorf("demo: invalidate: %w", err)
	}
	return written, nil
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
	return errors.Join(append(errs, a.conn.Close(), a.store.close())...)
}
