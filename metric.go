package larder

import "github.com/larder-go/larder/observe"

// What a Cache counts, for its Observer.
var (
	metricHits = &observe.Metric{
		Name: "larder.cache.hits", Unit: "{hit}", Instrument: observe.Counter, Label: "larder.tier",
		Help: "Gets answered from the process (l1) or from Redis (l2)",
	}
	metricMisses = &observe.Metric{
		Name: "larder.cache.misses", Unit: "{miss}", Instrument: observe.Counter, Label: "larder.reason",
		Help: "Gets that neither tier could answer at first, by the reason",
	}
	metricStale = &observe.Metric{
		Name: "larder.cache.stale_serves", Unit: "{hit}", Instrument: observe.Counter,
		Help: "hits whose value was past its TTL",
	}
	metricNegative = &observe.Metric{
		Name: "larder.cache.negative_hits", Unit: "{hit}", Instrument: observe.Counter,
		Help: "hits that said that there is no value",
	}
	metricCoalesced = &observe.Metric{
		Name: "larder.cache.coalesced", Unit: "{miss}", Instrument: observe.Counter,
		Help: "misses answered by the load of another caller",
	}
	metricLoads = &observe.Metric{
		Name: "larder.cache.loads", Unit: "{load}", Instrument: observe.Counter,
		Help: "keys that a loader was asked for",
	}
	metricLoadErrors = &observe.Metric{
		Name: "larder.cache.load_errors", Unit: "{load}", Instrument: observe.Counter,
		Help: "loads that failed; not found is no failure",
	}
	metricFills = &observe.Metric{
		Name: "larder.cache.fills", Unit: "{fill}", Instrument: observe.Counter,
		Help: "values stored in Redis",
	}
	metricFillsRefused = &observe.Metric{
		Name: "larder.cache.fills_refused", Unit: "{fill}", Instrument: observe.Counter,
		Help: "values not stored because an invalidation had overtaken them",
	}
	metricOversize = &observe.Metric{
		Name: "larder.cache.oversize", Unit: "{value}", Instrument: observe.Counter,
		Help: "values not stored because they are larger than MaxValueBytes",
	}
	metricL2Errors = &observe.Metric{
		Name: "larder.cache.l2_errors", Unit: "{error}", Instrument: observe.Counter,
		Help: "calls of Redis that failed",
	}
	metricInvalidations = &observe.Metric{
		Name: "larder.cache.invalidations", Unit: "{call}", Instrument: observe.Counter,
		Help: "calls that invalidate or write",
	}
	metricPushes = &observe.Metric{
		Name: "larder.cache.pushes", Unit: "{key}", Instrument: observe.Counter,
		Help: "changed keys that Redis reported",
	}
	metricPending = &observe.Metric{
		Name: "larder.cache.invalidations_pending", Unit: "{invalidation}", Instrument: observe.Gauge,
		Help: "invalidations that wait for Redis to answer again",
	}
	metricL1Entries = &observe.Metric{
		Name: "larder.cache.l1.entries", Unit: "{entry}", Instrument: observe.Gauge,
		Help: "entries held in the process",
	}
	metricL1Bytes = &observe.Metric{
		Name: "larder.cache.l1.size", Unit: "By", Instrument: observe.Gauge,
		Help: "size of the entries held in the process, as encoded",
	}
	metricL1Evictions = &observe.Metric{
		Name: "larder.cache.l1.evictions", Unit: "{entry}", Instrument: observe.Counter,
		Help: "entries that gave way to others in the process",
	}
	metricProbeChecked = &observe.Metric{
		Name: "larder.cache.probe.checked", Unit: "{value}", Instrument: observe.Counter, Label: "larder.delay",
		Help: "values that the consistency probe compared with their source, by the time since they were served",
	}
	metricProbeStale = &observe.Metric{
		Name: "larder.cache.probe.stale", Unit: "{value}", Instrument: observe.Counter, Label: "larder.delay",
		Help: "values so compared that were not the source's",
	}
	metricProbeUndecided = &observe.Metric{
		Name: "larder.cache.probe.undecided", Unit: "{value}", Instrument: observe.Counter,
		Help: "values that the consistency probe could not compare",
	}
	metricProbeLoads = &observe.Metric{
		Name: "larder.cache.probe.loads", Unit: "{load}", Instrument: observe.Counter,
		Help: "what the consistency probe asked the source for",
	}
)

// Metrics are those that every Cache has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricHits, metricMisses, metricStale, metricNegative, metricCoalesced,
		metricLoads, metricLoadErrors, metricFills, metricFillsRefused, metricOversize, metricL2Errors,
		metricInvalidations, metricPushes, metricPending,
		metricL1Entries, metricL1Bytes, metricL1Evictions,
		metricProbeChecked, metricProbeStale, metricProbeUndecided, metricProbeLoads,
	}
}

// yield reads all figures.
func (c *Cache[K, V]) yield(yield observe.Yield) {
	s := c.Stats()
	yield(metricHits, "l1", float64(s.L1Hits))
	yield(metricHits, "l2", float64(s.L2Hits))
	for why, name := range reasonNames {
		if n := c.stats.misses[why].Load(); n > 0 {
			yield(metricMisses, name, float64(n))
		}
	}
	for _, f := range []struct {
		m *observe.Metric
		n uint64
	}{
		{metricStale, s.StaleHits},
		{metricNegative, s.NegativeHits},
		{metricCoalesced, s.Coalesced},
		{metricLoads, s.Loads},
		{metricLoadErrors, s.LoadErrors},
		{metricFills, s.Fills},
		{metricFillsRefused, s.FillsRefused},
		{metricOversize, s.Oversize},
		{metricL2Errors, s.L2Errors},
		{metricInvalidations, s.Invalidations},
		{metricPushes, s.Pushes},
		{metricPending, uint64(s.Pending)},
		{metricL1Entries, uint64(s.L1Entries)},
		{metricL1Bytes, s.L1Bytes},
		{metricL1Evictions, s.L1Evictions},
		{metricProbeUndecided, s.ProbeUndecided},
		{metricProbeLoads, s.ProbeLoads},
	} {
		yield(f.m, "", float64(f.n))
	}
	if c.probe != nil {
		for i, delay := range probeDelayNames {
			yield(metricProbeChecked, delay, float64(c.probe.checked[i].Load()))
			yield(metricProbeStale, delay, float64(c.probe.stale[i].Load()))
		}
	}
}
