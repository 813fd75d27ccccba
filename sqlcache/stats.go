package sqlcache

import (
	"database/sql"
	"sync/atomic"

	"github.com/larder-go/larder"
)

// Stats counts what has become of the statements of a sql.DB.
type Stats struct {
	// Hits are queries that were answered without the database, Misses those that
	// looked in the cache and ran.
	Hits, Misses uint64
	// Bypassed are statements that returned rows and did not look, by the reason.
	Bypassed map[string]uint64
	// Writes are statements and transactions that have invalidated something.
	Writes uint64
	// Failures are those of the cache, which no caller is told of: settings or
	// definitions that could not be read, invalidations that could not be delivered at
	// once. Pending is how many of these wait for Redis now.
	Failures uint64
	Pending  int
	// Cache counts what is below.
	Cache larder.Stats
}

type counters struct {
	hits, misses, writes, failures atomic.Uint64
	bypassed                       [reasons]atomic.Uint64
	tables                         tables
}

// StatsOf returns what a sql.DB that was opened by this package has counted so far.
func StatsOf(db *sql.DB) (Stats, error) {
	d, err := databaseOf(db)
	if err != nil {
		return Stats{}, err
	}
	return d.stats(), nil
}

func (d *database) stats() Stats {
	c := &d.counters
	s := Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Bypassed: map[string]uint64{},
		Writes: c.writes.Load(), Failures: c.failures.Load(), Cache: d.cache.Stats(),
	}
	s.Pending = s.Cache.Pending
	for r := range reasons {
		if n := c.bypassed[r].Load(); n > 0 {
			s.Bypassed[r.String()] = n
		}
	}
	return s
}

// failed takes note of a failure that no caller is told of.
func (d *database) failed(what string, err error) {
	d.counters.failures.Add(1)
	d.opts.Logger.Warn("sqlcache: the cache failed", "namespace", d.opts.Namespace, "what", what, "error", err)
}
