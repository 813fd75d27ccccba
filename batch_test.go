package larder_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// Of 17 keys 16 load. The lease of the last one, if the batch took it beforehand,
// would run out while it queues, and another process' load would come in between.
func TestQueuedKeysOfABatchAreLoadedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lease = 150 * time.Millisecond
		e := newEngine(t)
		var (
			mu      sync.Mutex // protects running
			running = map[string]bool{}
			gate    = make(chan struct{})
		)
		c := newCache(t, e.Connect(), larder.Options[string, int64]{
			Lease: lease,
			Load: func(_ context.Context, k string) (int64, error) {
				mu.Lock()
				running[k] = true
				mu.Unlock()
				<-gate
				return 1, nil
			},
		})
		keys, got := numbered(17), make(chan int, 1)
		go func() {
			m, err := c.GetMany(t.Context(), keys)
			if err != nil {
				t.Error(err)
			}
			got <- len(m)
		}()
		time.Sleep(2 * lease)
		synctest.Wait()
		queued := ""
		mu.Lock()
		for _, k := range keys {
			if !running[k] {
				queued = k
			}
		}
		mu.Unlock()
		if queued == "" {
			t.Fatal("no key is queued")
		}
		other := newCache(t, e.Connect(), larder.Options[string, int64]{Load: always(1)})
		_, _ = other.Get(within(t, lease), queued) // loads it, or waits in vain
		close(gate)
		if n := <-got; n != len(keys) {
			t.Errorf("%d values, want %d", n, len(keys))
		}
		s := c.Stats()
		if n := s.Loads + other.Stats().Loads; n != uint64(len(keys)) || s.FillsRefused != 0 {
			t.Errorf("%d loads of %d keys, %d fills refused", n, len(keys), s.FillsRefused)
		}
	})
}

func TestRefreshesOfABatchAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 50 * time.Millisecond
		var refreshing atomic.Bool
		var running atomic.Int64
		gate := make(chan struct{})
		c := newCache(t, newHook(t, newEngine(t)), larder.Options[string, int64]{
			TTL: ttl, StaleFor: time.Hour,
			Load: func(context.Context, string) (int64, error) {
				if refreshing.Load() {
					running.Add(1)
					<-gate
				}
				return 1, nil
			},
		})
		keys := numbered(100)
		if _, err := c.GetMany(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * ttl)
		refreshing.Store(true)
		if m, err := c.GetMany(t.Context(), keys); len(m) != len(keys) || err != nil {
			t.Fatalf("%d values, %v", len(m), err)
		}
		synctest.Wait()
		if n := running.Load(); n != 16 {
			t.Errorf("%d loads of one GetMany at a time, want 16", n)
		}
		close(gate)
	})
}

// Each of the entries carries a tag of its own, none of which the process knows.
func TestColdBatchCostsAFewRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		o := larder.Options[string, int64]{
			Load: always(1),
			Tags: func(k string) []string { return []string{"tag of " + k} },
		}
		keys := numbered(50)
		if _, err := newCache(t, e.Connect(), o).GetMany(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		h := newHook(t, e)
		c := newCache(t, h, o)
		if m, err := c.GetMany(t.Context(), keys); len(m) != len(keys) || err != nil {
			t.Fatalf("%d values, %v", len(m), err)
		}
		if s := c.Stats(); s.L2Hits != uint64(len(keys)) {
			t.Errorf("%d hits", s.L2Hits)
		}
		// The entries, their generations, the clock.
		if n := h.count(""); n > 3 {
			t.Errorf("%d exchanges for a GetMany of values that Redis has, want 3", n)
		}
	})
}

func TestBatchIsCountedAsItsKeysAre(t *testing.T) {
	t.Run("too large", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCache(t, newHook(t, newEngine(t)), larder.Options[string, string]{
				MaxValueBytes: 10,
				LoadMany: func(context.Context, []string) (map[string]string, error) {
					return map[string]string{"k": strings.Repeat("x", 50)}, nil
				},
			})
			if _, err := c.GetMany(t.Context(), []string{"k"}); err != nil {
				t.Fatal(err)
			}
			if s := c.Stats(); s.Oversize != 1 || s.Fills != 0 {
				t.Errorf("%d too large, %d stored; want 1 and 0", s.Oversize, s.Fills)
			}
		})
	})
	for how, ask := range asks[int64]() {
		t.Run("negative hit of "+how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCache(t, nil, larder.Options[string, int64]{
					NegativeTTL: time.Minute,
					Load:        func(context.Context, string) (int64, error) { return 0, larder.ErrNotFound },
				})
				for range 3 {
					_, _ = ask(t.Context(), c, "k")
				}
				if s := c.Stats(); s.Loads != 1 || s.NegativeHits != 2 {
					t.Errorf("%d loads, %d negative hits; want 1 and 2", s.Loads, s.NegativeHits)
				}
			})
		})
	}
}
