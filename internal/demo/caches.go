package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// negativeTTL is how long an unknown package is remembered.
const negativeTTL = 10 * time.Second

// caches is a larder.Cache for each kind of answer, whose tags the application says
// itself.
type caches struct {
	store *store
	conn  conn.Conn
	// prefix begins the namespaces and the tags of a run.
	prefix string

	pages     *larder.Cache[string, packagePage]
	searches  *larder.Cache[searchKey, searchResult]
	importing *larder.Cache[string, importerList]
	tops      *larder.Cache[int, topList]
}

// probeEvery is how often each cache compares an answer with the database. That is a few
// queries in a run.
const probeEvery = 5 * time.Second

type searchKey struct {
	Query string
	Limit int
}

// newCaches makes caches before s. They own neither s nor c, and are watched by o.
func newCaches(prefix string, s *store, c conn.Conn, o observe.Observer) (_ *caches, err error) {
	h := &caches{store: s, conn: c, prefix: prefix}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	// A page is dropped by its key, everything else by tag.
	h.pages, err = larder.New(c, larder.Options[string, packagePage]{
		Observer:    o,
		ProbeEvery:  probeEvery,
		Namespace:   h.prefix + "-page",
		TTL:         cacheTTL,
		NegativeTTL: negativeTTL,
		Load:        s.packagePage,
	})
	if err != nil {
		return nil, err
	}
	h.searches, err = larder.New(c, larder.Options[searchKey, searchResult]{
		Observer:   o,
		ProbeEvery: probeEvery,
		Namespace:  h.prefix + "-search",
		TTL:        cacheTTL,
		Load: func(ctx context.Context, k searchKey) (searchResult, error) {
			return s.search(ctx, k.Query, k.Limit)
		},
		Tags: func(k searchKey) []string { return h.tags(searchThing(k.Query)) },
	})
	if err != nil {
		return nil, err
	}
	h.importing, err = larder.New(c, larder.Options[string, importerList]{
		Observer:    o,
		ProbeEvery:  probeEvery,
		Namespace:   h.prefix + "-importers",
		TTL:         cacheTTL,
		NegativeTTL: negativeTTL,
		Load:        s.importers,
		Tags:        func(path string) []string { return h.tags(packageThing(path)) },
	})
	if err != nil {
		return nil, err
	}
	h.tops, err = larder.New(c, larder.Options[int, topList]{
		Observer:   o,
		ProbeEvery: probeEvery,
		Namespace:  h.prefix + "-top",
		TTL:        cacheTTL,
		Load:       s.top,
		Tags:       func(int) []string { return h.tags(statsThing) },
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (h *caches) tags(things ...string) []string {
	for i := range things {
		things[i] = h.prefix + "-" + things[i]
	}
	return things
}

func (h *caches) packagePage(ctx context.Context, path string) (packagePage, error) {
	return h.pages.Get(ctx, path)
}

func (h *caches) search(ctx context.Context, query string, limit int) (searchResult, error) {
	return h.searches.Get(ctx, searchKey{query, limit})
}

func (h *caches) importers(ctx context.Context, path string) (importerList, error) {
	return h.importing.Get(ctx, path)
}

func (h *caches) top(ctx context.Context, limit int) (topList, error) { return h.tops.Get(ctx, limit) }

func (h *caches) edit(ctx context.Context, path, symbol string) ([]revision, error) {
	written, err := h.store.edit(ctx, path, symbol)
	if err != nil {
		return nil, err
	}
	tags := make([]string, len(written))
	for i, w := range written {
		tags[i] = w.Thing
	}
	if err := errors.Join(h.pages.Invalidate(ctx, path), larder.InvalidateTags(ctx, h.conn, h.tags(tags...)...)); err != nil {
		return nil, fmt.Errorf("demo: invalidate: %w", err)
	}
	return written, nil
}

func (h *caches) counters() counters {
	var c counters
	for _, s := range []larder.Stats{h.pages.Stats(), h.searches.Stats(), h.importing.Stats(), h.tops.Stats()} {
		c.Hits += s.L1Hits + s.L2Hits
		c.L1Hits += s.L1Hits
		c.Misses += s.Misses
		c.Loads += s.Loads
		c.FillsRefused += s.FillsRefused
		c.CacheErrors += s.L2Errors + s.Corrupt
	}
	return c
}

func (h *caches) close() error {
	var errs []error
	if h.pages != nil {
		errs = append(errs, h.pages.Close())
	}
	if h.searches != nil {
		errs = append(errs, h.searches.Close())
	}
	if h.importing != nil {
		errs = append(errs, h.importing.Close())
	}
	if h.tops != nil {
		errs = append(errs, h.tops.Close())
	}
	return errors.Join(errs...)
}
