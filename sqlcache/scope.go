package sqlcache

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// scope is what connections with equal settings share: the keys of their results, and
// the definitions, since names mean what search_path says.
type scope struct {
	db       *database
	database string
	root     string        // the tag of everything
	id       string        // part of the keys
	loading  chan struct{} // holds a token while one connection reads the definitions
	current  atomic.Pointer[snapshot]
}

// snapshot is a state of the definitions.
type snapshot struct {
	catalog Catalog
	version string
	at      time.Time
	plans   memo[*plan]
}

// plan is what a text means under a snapshot.
type plan struct {
	catalog.Plan
	version string
	// names are those of the tags of an ordinary read, below the root.
	names []string
	// ttl is what Options.TableTTL allows: 0 is no limit, negative is never.
	ttl time.Duration
}

func newScope(d *database, name, id string) *scope {
	return &scope{db: d, database: name, root: rootTag(name), id: id, loading: make(chan struct{}, 1)}
}

// outdatedAfter spares the catalog where statements name what does not exist.
const outdatedAfter = time.Second

// plan tells what a statement means. It is nil where the definitions cannot be read,
// and sure where they are known to be those of now.
func (s *scope) plan(ctx context.Context, c *conn, text string, st *statement.Statement) (p *plan, sure bool) {
	snap, sure := s.definitions(ctx, c, s.db.opts.CatalogMaxAge)
	if snap == nil {
		return nil, false
	}
	if p = snap.plan(s, text, st); p.Outdated {
		if newer, ok := s.definitions(ctx, c, outdatedAfter); newer != nil && newer != snap {
			return newer.plan(s, text, st), ok
		}
	}
	return p, sure
}

func (n *snapshot) plan(s *scope, text string, st *statement.Statement) *plan {
	return n.plans.get(text, func() *plan {
		p := &plan{Plan: n.catalog.Plan(*st), version: n.version}
		for _, t := range p.Reads {
			p.names = append(p.names, tableName(t))
			p.ttl = shortest(p.ttl, s.db.opts.TableTTL[tableName(t)], s.db.opts.TableTTL[t.Name])
		}
		return p
	})
}

// shortest returns the shortest limit; 0 is none.
func shortest(ttls ...time.Duration) (least time.Duration) {
	for _, ttl := range ttls {
		if ttl != 0 && (least == 0 || ttl < least) {
			least = ttl
		}
	}
	return least
}

// definitions returns a snapshot no older than age, if one can be had, and tells whether
// it is known to be that of now. Inside a transaction none is read: what it sees may
// never be committed.
func (s *scope) definitions(ctx context.Context, c *conn, age time.Duration) (snap *snapshot, sure bool) {
	snap = s.current.Load()
	version, known := s.version(ctx, snap)
	if c.tx != nil || snap != nil && time.Since(snap.at) < age && (!known || snap.version == version) {
		return snap, known && snap != nil && snap.version == version
	}
	select {
	case s.loading <- struct{}{}:
		defer func() { <-s.loading }()
	case <-ctx.Done():
		return snap, false
	}
	if latest := s.current.Load(); latest != snap { // another connection was quicker
		version, known = s.version(ctx, latest)
		return latest, known && latest.version == version
	}
	began := time.Now()
	cat, err := c.dialect.Catalog(ctx, queryer{c.base})
	if err != nil {
		s.db.failed("the definitions cannot be read", err)
		return snap, false
	}
	snap = &snapshot{catalog: cat, version: version, at: began}
	s.current.Store(snap)
	return snap, known
}

func (s *scope) version(ctx context.Context, snap *snapshot) (string, bool) {
	expected := ""
	if snap != nil {
		expected = snap.version
	}
	return s.db.version(ctx, s.root, expected)
}

// unchanged tells whether the definitions are still those of a version.
func (s *scope) unchanged(ctx context.Context, version string) bool {
	now, known := s.db.version(ctx, s.root, version)
	return known && now == version
}
