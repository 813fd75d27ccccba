package demo

// counters is what an instance has done so far.
type counters struct {
	Instance  string `json:"instance"`
	DBQueries uint64 `json:"db_queries"`
	Writes    uint64 `json:"writes"`
	// Hits are Gets answered by L1 or L2, of which L1Hits by the process
	// itself; Misses are the others.
	Hits         uint64 `json:"hits"`
	L1Hits       uint64 `json:"l1_hits"`
	Misses       uint64 `json:"misses"`
	Loads        uint64 `json:"loads"`
	FillsRefused uint64 `json:"fills_refused"`
	// Invalidations are statements and transactions that were seen to write, where the
	// cache sees them.
	Invalidations uint64 `json:"invalidations"`
	// CacheErrors are calls that failed on the way to Redis and entries that
	// could not be read.
	CacheErrors uint64  `json:"cache_errors"`
	HitRatio    float64 `json:"hit_ratio"`
}

func (a *app) counters() counters {
	c := a.cached.counters()
	c.Instance = a.name
	c.DBQueries += a.store.queries.Load()
	c.Writes = a.writes.Load()
	c.HitRatio = ratio(c.Hits, c.Hits+c.Misses)
	return c
}

// plus adds up what two instances, or two phases, have done.
func (c counters) plus(d counters) counters {
	c.DBQueries += d.DBQueries
	c.Writes += d.Writes
	c.Hits += d.Hits
	c.L1Hits += d.L1Hits
	c.Misses += d.Misses
	c.Loads += d.Loads
	c.FillsRefused += d.FillsRefused
	c.Invalidations += d.Invalidations
	c.CacheErrors += d.CacheErrors
	c.HitRatio = ratio(c.Hits, c.Hits+c.Misses)
	return c
}

// minus is what has been done since d.
func (c counters) minus(d counters) counters {
	c.DBQueries -= d.DBQueries
	c.Writes -= d.Writes
	c.Hits -= d.Hits
	c.L1Hits -= d.L1Hits
	c.Misses -= d.Misses
	c.Loads -= d.Loads
	c.FillsRefused -= d.FillsRefused
	c.Invalidations -= d.Invalidations
	c.CacheErrors -= d.CacheErrors
	c.HitRatio = ratio(c.Hits, c.Hits+c.Misses)
	return c
}

func ratio(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
