package larder_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A key that is read all the time is loaded again before its TTL ends, once in the
// fleet, and nobody waits for it or gets a stale value.
func TestRefreshAheadKeepsAHotKeyFresh(t *testing.T) {
	const ttl, cost, step = 10 * time.Second, 200 * time.Millisecond, 20 * time.Millisecond
	for name, l1 := range map[string]int64{"L1": 0, "no L1": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var loads, running atomic.Int64
				e := newEngine(t)
				var caches []*larder.Cache[string, int64]
				for range 3 {
					caches = append(caches, newCache(t, e.Connect(), larder.Options[string, int64]{
						TTL: ttl, Jitter: -1, RefreshAhead: 1, L1MaxBytes: l1,
						Load: func(context.Context, string) (int64, error) {
							if running.Add(1) > 1 {
								t.Error("two loads at once")
							}
							defer running.Add(-1)
							time.Sleep(cost)
							return loads.Add(1), nil
						},
					}))
				}
				if _, err := caches[0].Get(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				waited := 0
				const periods = 20
				for range periods * int(ttl/step) {
					time.Sleep(step)
					for _, c := range caches {
						start := time.Now()
						if _, err := c.Get(t.Context(), "k"); err != nil {
							t.Fatal(err)
						}
						if time.Since(start) > 0 {
							waited++
						}
					}
				}
				time.Sleep(cost) // the last load ends
				if waited > 3 {  // beta of 1 refreshes in time with a probability near 1
					t.Errorf("%d Gets waited", waited)
				}
				if n := loads.Load(); n < periods || n > 2*periods {
					t.Errorf("%d loads in %d times the TTL", n, periods)
				}
				for i, c := range caches {
					if s := c.Stats(); s.StaleHits > 0 || s.LoadErrors > 0 {
						t.Errorf("cache %d: %+v", i, s)
					}
				}
			})
		})
	}
}

// A key that is not asked for is not loaded, and a value without cost is not loaded
// ahead of time.
func TestRefreshAheadLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, int64]{TTL: time.Minute, RefreshAhead: 1, Load: always(1)})
		for range 10 {
			if _, err := c.Get(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
		}
		if n := c.Stats().Loads; n != 1 {
			t.Errorf("%d loads", n)
		}
		time.Sleep(time.Hour)
		if n := c.Stats().Loads; n != 1 {
			t.Errorf("%d loads of a key that nobody asks for", n)
		}
	})
}
