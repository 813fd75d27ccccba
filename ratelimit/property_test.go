package ratelimit

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
)

// An allowed request of a history.
type grant struct{ at, cost int64 }

// definitions say what each algorithm promises of the requests that it has allowed,
// in terms of nothing but their times. They return the largest sum found beyond the
// promise, or a number below 1.
var definitions = map[kind]func(a Algorithm, grants []grant) int64{
	// No more than limit in any window.
	fixedWindow: func(a Algorithm, grants []grant) (worst int64) {
		for _, n := range byWindow(a, grants) {
			worst = max(worst, n-a.limit)
		}
		return worst
	},
	// At each grant the window so far, and the weighted previous one, are within the
	// limit. The clock does not go back here.
	slidingWindow: func(a Algorithm, grants []grant) (worst int64) {
		sums := map[int64]int64{}
		for _, g := range grants {
			b := a.bucket(g.at)
			sums[b] += g.cost
			share := 1 - float64(g.at%a.windowMillis())/float64(a.windowMillis())
			worst = max(worst, sums[b]+int64(share*float64(sums[b-1]))-a.limit)
		}
		return worst
	},
	// In any time: what a full bucket holds and the refills within the time, of which
	// the one that is due at its beginning counts too.
	tokenBucket: func(a Algorithm, grants []grant) (worst int64) {
		return overEachTime(grants, func(d int64) int64 { return a.limit + a.extra*(d/a.windowMillis()+1) })
	},
	// In any time t: burst + t * limit / period.
	gcra: func(a Algorithm, grants []grant) (worst int64) {
		return overEachTime(grants, func(d int64) int64 { return a.extra + d*1000*a.limit/a.window.Microseconds() })
	},
}

func byWindow(a Algorithm, grants []grant) map[int64]int64 {
	sums := map[int64]int64{}
	for _, g := range grants {
		sums[a.bucket(g.at)] += g.cost
	}
	return sums
}

func overEachTime(grants []grant, most func(d int64) int64) (worst int64) {
	for i := range grants {
		sum := int64(0)
		for _, g := range grants[i:] {
			sum += g.cost
			worst = max(worst, sum-most(g.at-grants[i].at))
		}
	}
	return worst
}

// Any interleaving of clients that share a clock: what is allowed stays within the
// definition, and the limiter is not so strict that it allows little.
func TestAllowedNeverExceedsTheDefinition(t *testing.T) {
	const steps, clients = 300, 4
	algorithms := []Algorithm{
		FixedWindow(7, time.Minute), SlidingWindow(20, time.Minute), SlidingWindow(1, time.Minute),
		TokenBucket(3, 20*time.Second, 8), TokenBucket(10, time.Minute, 1),
		GCRA(30, time.Minute, 5), GCRA(7, 50*time.Second, 1), CachedFixedWindow(7, time.Minute),
	}
	onEach(t, func(t *testing.T, c conn.Conn) {
		for i, a := range algorithms {
			for seed := range uint64(4) {
				clock := newClock(vectorTime)
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				var ls []*Limiter
				for range clients {
					if a.kind == cachedWindow && len(ls) == 1 {
						break // alone it is exact
					}
					ls = append(ls, limiter(t, c, Options{Algorithm: a, Clock: clock.now, Prefix: prefixOf(t) + number(int64(i)) + "x" + number(int64(seed))}))
				}
				var grants []grant
				for range steps {
					clock.advance(time.Duration(rng.Int64N(rng.Int64N(9000)+1)) * time.Millisecond)
					cost := int64(1)
					if rng.IntN(4) == 0 {
						cost = 1 + rng.Int64N(a.policy().Quota)
					}
					if d := limit(t, ls[rng.IntN(len(ls))], "u", Cost(cost)); d.Allowed {
						grants = append(grants, grant{clock.ms.Load(), cost})
					}
				}
				promise := definitions[a.kind]
				if promise == nil {
					promise = definitions[fixedWindow]
				}
				if over := promise(a, grants); over > 0 {
					t.Errorf("%+v, seed %d: %d more than promised", a, seed, over)
				}
				if len(grants) < steps/50 {
					t.Errorf("%+v, seed %d: only %d of %d allowed", a, seed, len(grants), steps)
				}
			}
		}
	})
}

// RetryAfter is neither too early nor, where nobody else asks, too late.
func TestRetryAfterIsExact(t *testing.T) {
	for _, a := range []Algorithm{
		FixedWindow(7, time.Minute), SlidingWindow(20, time.Minute), SlidingWindow(3, 1234*time.Millisecond),
		TokenBucket(3, 20*time.Second, 8), GCRA(30, time.Minute, 5), GCRA(7, 50*time.Second, 3),
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		m := newMemory("p", a, DefaultMaxLocal, func() int64 { return a.limit })
		now, refusals := int64(vectorTime), 0
		for range 3000 {
			now += rng.Int64N(a.windowMillis()/10) + 1
			q := query{id: "u", cost: 1 + rng.Int64N(min(3, a.policy().Quota)), now: now}
			r, _ := m.decide(t.Context(), &q)
			if r.verdict == granted {
				continue
			}
			refusals++
			d := a.decision(r, q.cost, now)
			for _, w := range []struct {
				at      int64
				allowed bool
			}{{now + d.RetryAfter.Milliseconds() - 1, false}, {now + d.RetryAfter.Milliseconds(), true}} {
				// A copy, so that asking does not change the history.
				probe := newMemory("p", a, DefaultMaxLocal, func() int64 { return a.limit })
				maps.Copy(probe.of("u").cells, m.of("u").cells)
				if r, _ := probe.decide(t.Context(), &query{id: "u", cost: q.cost, now: w.at}); (r.verdict == granted) != w.allowed {
					t.Fatalf("%+v at %d, cost %d, try again in %v: %d ms later it is %+v", a, now, q.cost, d.RetryAfter, w.at-now, r)
				}
			}
		}
		if refusals < 50 {
			t.Errorf("%+v: only %d refusals", a, refusals)
		}
	}
}

// Several connections and many goroutines at once: exactly the limit passes.
func TestConcurrentCallersGetExactlyTheLimit(t *testing.T) {
	const most, goroutines, each = 100, 16, 20
	open := map[string]func(t *testing.T) []conn.Conn{
		"local": func(*testing.T) []conn.Conn { return []conn.Conn{nil} },
		"embedded": func(t *testing.T) []conn.Conn {
			e, err := embedded.New(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = e.Close() })
			return []conn.Conn{e.Connect(), e.Connect(), e.Connect()}
		},
		"redis": func(t *testing.T) []conn.Conn {
			url := redistest.Shared(t).URL()
			return []conn.Conn{dial(t, url), dial(t, url), dial(t, url)}
		},
		"cluster": func(t *testing.T) []conn.Conn {
			url := redistest.SharedCluster(t).URL()
			return []conn.Conn{dial(t, url), dial(t, url)}
		},
	}
	algorithms := []Algorithm{
		FixedWindow(most, time.Hour), SlidingWindow(most, time.Hour), TokenBucket(1, time.Hour, most), GCRA(1, time.Hour, most),
	}
	for name, conns := range open {
		t.Run(name, func(t *testing.T) {
			cs := conns(t)
			for i, a := range algorithms {
				for _, blockFor := range []time.Duration{0, -1} {
					var ls []*Limiter
					for _, c := range cs {
						ls = append(ls, limiter(t, c, Options{
							Algorithm: a, Clock: newClock(vectorTime).now, BlockFor: blockFor,
							Prefix: prefixOf(t) + number(int64(i)) + blockFor.String(),
						}))
					}
					if n := hammer(t, ls, goroutines, each); n != most {
						t.Errorf("%+v: %d allowed, want %d", a, n, most)
					}
				}
			}
		})
	}
}

// hammer asks for one identifier from several goroutines and counts what is allowed.
func hammer(t *testing.T, ls []*Limiter, goroutines, each int) int64 {
	t.Helper()
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for range each {
				d, err := ls[g%len(ls)].Limit(context.Background(), "u")
				if err != nil {
					t.Error(err)
					return
				}
				if d.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return allowed.Load()
}

// Cached windows of several processes: each knows what it allows itself, and learns
// what the others allow. Together they stay within the documented overshoot, and
// Redis has counted all of it.
func TestCachedWindowsOvershootIsBounded(t *testing.T) {
	const most, processes = 100, 3
	onEach(t, func(t *testing.T, c conn.Conn) {
		var ls []*Limiter
		for range processes {
			ls = append(ls, limiter(t, c, Options{Algorithm: CachedFixedWindow(most, time.Hour), Clock: newClock(vectorTime).now}))
		}
		n := hammer(t, ls, 12, 60)
		if n < most || n > processes*most {
			t.Errorf("%d allowed, want %d to %d", n, most, processes*most)
		}
		for _, l := range ls {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		v, err := do(t, c, "GET", ls[0].names.current("u", vectorTime)).Int64()
		if err != nil || v < n {
			t.Errorf("Redis has counted %d, allowed were %d, error %v", v, n, err)
		}
		// One who comes later knows of all of them.
		if d := limit(t, limiter(t, c, Options{Algorithm: CachedFixedWindow(most, time.Hour), Clock: newClock(vectorTime).now}), "u"); d.Allowed {
			t.Errorf("a new process was allowed: %+v", d)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	const most = 256
	now := int64(vectorTime)
	l := limiter(t, nil, Options{Algorithm: SlidingWindow(2, time.Minute), MaxLocal: most, MaxBlocked: most, Clock: func() time.Time { return time.UnixMilli(now) }})
	for i := range int64(20 * most) {
		for range 3 {
			limit(t, l, "u"+number(i))
		}
		now += 7
	}
	cells := 0
	for i := range l.local.shard {
		cells += len(l.local.shard[i].cells)
	}
	blocked := 0
	for i := range l.blocked.shard {
		blocked += len(l.blocked.shard[i].m)
	}
	if cells > most || cells < most/2 || blocked > most+shards || blocked < most/2 {
		t.Errorf("%d counters and %d blocks, want up to %d of each", cells, blocked, most)
	}
	if d := limit(t, l, "u"+number(20*most-1)); d.Allowed {
		t.Error("the latest counter was forgotten")
	}
}
