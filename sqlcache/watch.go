package sqlcache

import (
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/observe"
)

// What the cache of a sql.DB counts, for its Observer. The two caches below, of
// results and of versions, tell of themselves.
var (
	metricHits = &observe.Metric{
		Name: "larder.sql.hits", Unit: "{query}", Instrument: observe.Counter,
		Help: "queries that were answered without the database",
	}
	metricMisses = &observe.Metric{
		Name: "larder.sql.misses", Unit: "{query}", Instrument: observe.Counter,
		Help: "queries that looked in the cache, and ran",
	}
	metricBypassed = &observe.Metric{
		Name: "larder.sql.bypassed", Unit: "{statement}", Instrument: observe.Counter, Label: "larder.reason",
		Help: "statements that returned rows and did not look in the cache, by the reason",
	}
	metricWrites = &observe.Metric{
		Name: "larder.sql.writes", Unit: "{write}", Instrument: observe.Counter,
		Help: "statements and transactions that invalidated something",
	}
	metricInvalidations = &observe.Metric{
		Name: "larder.sql.invalidations", Unit: "{write}", Instrument: observe.Counter, Label: "larder.table",
		Help: "writes that invalidated results, by table; * is all of them",
	}
	metricFailures = &observe.Metric{
		Name: "larder.sql.failures", Unit: "{failure}", Instrument: observe.Counter,
		Help: "failures of the cache that no caller was told of",
	}
	metricPending = &observe.Metric{
		Name: "larder.sql.invalidations_pending", Unit: "{invalidation}", Instrument: observe.Gauge,
		Help: "invalidations that wait for Redis to answer again",
	}
)

// Metrics are those that the cache of every sql.DB has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricHits, metricMisses, metricBypassed, metricWrites, metricInvalidations, metricFailures, metricPending,
	}
}

const (
	// maxTables bounds the tables that are counted each for itself.
	maxTables = 256
	// everyTable and otherTables are the labels of what has no table of its own.
	everyTable, otherTables = "*", "other"
)

// tables count writes by table.
type tables struct {
	mu sync.RWMutex // protects m
	m  map[string]*atomic.Uint64
}

// add counts a write of a table.
func (t *tables) add(table string) {
	t.mu.RLock()
	n := t.m[table]
	t.mu.RUnlock()
	if n == nil {
		n = t.make(table)
	}
	n.Add(1)
}

func (t *tables) make(table string) *atomic.Uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[string]*atomic.Uint64{}
	}
	if len(t.m) >= maxTables && t.m[table] == nil {
		table = otherTables
	}
	if t.m[table] == nil {
		t.m[table] = &atomic.Uint64{}
	}
	return t.m[table]
}

func (t *tables) each(fn func(table string, n uint64)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for table, n := range t.m {
		fn(table, n.Load())
	}
}

func (d *database) register() (unregister func()) {
	return observe.OrNobody(d.opts.Observer).Register(observe.Source{Subject: d.describe(), Metrics: Metrics(), Read: d.yield})
}

func (d *database) yield(yield observe.Yield) {
	s := d.stats()
	yield(metricHits, "", float64(s.Hits))
	yield(metricMisses, "", float64(s.Misses))
	for why, n := range s.Bypassed {
		yield(metricBypassed, why, float64(n))
	}
	yield(metricWrites, "", float64(s.Writes))
	d.counters.tables.each(func(table string, n uint64) { yield(metricInvalidations, table, float64(n)) })
	yield(metricFailures, "", float64(s.Failures))
	yield(metricPending, "", float64(s.Pending))
}
