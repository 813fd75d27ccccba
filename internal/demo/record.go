package demo

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// recorder adds up the rounds of a run.
type recorder struct {
	planned  int
	progress func(stage string, done, total int)

	done             atomic.Int64
	requests, writes int
	uncached, cached phase
}

// phase is what one way of answering took.
type phase struct {
	counters counters
	took     []time.Duration
}

// round sends w uncached and then cached.
func (r *recorder) round(ctx context.Context, g *generator, w workload) error {
	for _, cached := range []bool{false, true} {
		p := &r.uncached
		if cached {
			p = &r.cached
		}
		before, err := g.counters(ctx)
		if err != nil {
			return cause(ctx, err)
		}
		took := g.run(ctx, w, cached, func() {
			r.progress("requests, uncached and cached", int(r.done.Add(1)), 2*r.planned)
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		after, err := g.counters(ctx)
		if err != nil {
			return cause(ctx, err)
		}
		p.took = append(p.took, took...)
		p.counters = p.counters.plus(after.minus(before))
	}
	r.requests += w.size()
	r.writes += len(w.writes)
	return nil
}

// cause prefers the reason why ctx ended to the error that followed from it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (r *recorder) report(g *generator, live *feeds, s Settings) Report {
	tally := g.check.result()
	slices.Sort(r.uncached.took)
	slices.Sort(r.cached.took)
	slices.Sort(live.took)
	rep := Report{
		Requests:          r.requests,
		RequestsPlanned:   r.planned,
		Writes:            r.writes,
		DBQueriesCached:   r.cached.counters.DBQueries,
		DBQueriesUncached: r.uncached.counters.DBQueries,
		HitRatio:          math.Round(1e4*r.cached.counters.HitRatio) / 1e4,
		L1Hits:            r.cached.counters.L1Hits,
		L2Hits:            r.cached.counters.Hits - r.cached.counters.L1Hits,
		Misses:            r.cached.counters.Misses,
		P50Cached:         percentile(r.cached.took, 50),
		P50Uncached:       percentile(r.uncached.took, 50),
		P99Cached:         percentile(r.cached.took, 99),
		P99Uncached:       percentile(r.uncached.took, 99),
		Checked:           tally.checked,
		StaleReads:        tally.stale,
		LaggingReads:      tally.lagging,
		LongestLag:        milliseconds(tally.longestLag),
		CacheErrors:       r.cached.counters.CacheErrors,
		Logins:            g.sessions.logins,
		SessionUpdates:    g.sessions.updates,
		LostUpdates:       g.sessions.lost,
		UndeadSessions:    g.sessions.undead,
		Changes:           len(g.changes),
		P50Change:         percentile(live.took, 50),
		P99Change:         percentile(live.took, 99),
		Settings:          s,
	}
	for _, told := range live.told {
		rep.MissedChanges += misled(told, g.changes)
	}
	rep.Errors, rep.ErrorSamples = g.failures()
	return rep
}

// sqlCache is what the cache below the application did.
func (r *recorder) sqlCache() *SQLCache {
	c := r.cached.counters
	return &SQLCache{
		Statements: c.DBQueries + c.Hits, QueriesSaved: c.Hits, Misses: c.Misses, Invalidations: c.Invalidations,
	}
}

// percentile is the smallest of the sorted durations that p percent of them do
// not exceed, in microseconds with one decimal; 0 if there are none.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	d := sorted[(len(sorted)*p+99)/100-1]
	return math.Round(float64(d)/100) / 10
}

func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }
