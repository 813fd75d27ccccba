package larder_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A process dies in the middle of a CommitTags. When its barrier is over nobody is
// served from the cache what was there before the commit, nor waits for anything.
// While it stands nobody is served what may be old.
func TestCommitTagsThatCrashesLeavesNothingOld(t *testing.T) {
	for name, tt := range map[string]struct {
		at       string // the exchange from which on the process is dead
		executed bool   // it was executed still
		inCommit string // where in commit it died: "before" or "after" it took effect
	}{
		"before the barrier":           {at: "bar"},
		"after the barrier":            {at: "bar", executed: true},
		"in commit, before its effect": {inCommit: "before"},
		"in commit, after its effect":  {inCommit: "after"},
		"before the barrier is lifted": {at: "lift"},
		"when the barrier was lifted":  {at: "lift", executed: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var source, loads atomic.Int64
				source.Store(1)
				o := larder.Options[string, int64]{
					TTL: time.Hour, StaleFor: time.Hour,
					Load: func(context.Context, string) (int64, error) { loads.Add(1); return source.Load(), nil },
					Tags: func(string) []string { return []string{"x"} },
				}
				c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
				ask := func(when string) {
					t.Helper()
					start := time.Now()
					if v, err := other.Get(t.Context(), "k"); v != source.Load() || err != nil {
						t.Errorf("%s: got %d, %v; the source has %d", when, v, err, source.Load())
					}
					if d := time.Since(start); d > 0 {
						t.Errorf("%s: Get waited %v", when, d)
					}
				}
				ask("before")
				var dead atomic.Bool
				h.on(dying(&dead, tt.at, tt.executed))
				_ = c.CommitTags(t.Context(), []string{"x"}, func(context.Context) error {
					ask("before the effect")
					if dead.Load() || tt.inCommit == "before" {
						dead.Store(true)
						return errDown
					}
					source.Store(2)
					dead.Store(tt.inCommit == "after")
					return nil
				})
				ask("at once")
				time.Sleep(larder.DefaultLease)
				ask("after the barrier")
				before := loads.Load()
				ask("again")
				if loads.Load() != before {
					t.Error("what was loaded after the barrier is not stored")
				}
			})
		})
	}
}

// More writers than a barrier has places for do not lift it for one another.
func TestManyWritersOfATag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers = 100
		var source, loads atomic.Int64
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) { loads.Add(1); return source.Load(), nil },
			Tags: func(string) []string { return []string{"x"} },
		})
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				err := c.CommitTags(t.Context(), []string{"x"}, func(context.Context) error {
					time.Sleep(time.Duration(i) * time.Millisecond)
					source.Add(1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		for range writers - 1 {
			time.Sleep(time.Millisecond)
			synctest.Wait()
			for range 2 {
				before := loads.Load()
				if v, err := c.Get(t.Context(), "k"); v != source.Load() || err != nil {
					t.Errorf("got %d, %v; the source has %d", v, err, source.Load())
				}
				if v := source.Load(); v < writers && loads.Load() == before {
					t.Errorf("%d of %d have written, and a value was served from the cache", v, writers)
				}
			}
		}
		wg.Wait()
		time.Sleep(larder.DefaultLease) // the shared place ends with its time
		for range 2 {
			if v, err := c.Get(t.Context(), "k"); v != writers || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		}
		before := loads.Load()
		if _, err := c.Get(t.Context(), "k"); err != nil || loads.Load() != before {
			t.Errorf("the barrier is still there; %v", err)
		}
	})
}

// A commit that takes longer than a lease has its barrier renewed, and is told when
// that fails.
func TestSlowCommitKeepsItsBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, newEngine(t))
		var loads atomic.Int64
		c := newCache(t, h, larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) { return loads.Add(1), nil },
			Tags: func(string) []string { return []string{"x"} },
		})
		err := c.CommitTags(t.Context(), []string{"x"}, func(ctx context.Context) error {
			time.Sleep(larder.DefaultLease * 2)
			for n := range int64(2) {
				if v, err := c.Get(ctx, "k"); v != n+1 || err != nil {
					t.Errorf("got %d, %v after two leases", v, err)
				}
			}
			h.silence("bar")
			start := time.Now()
			<-ctx.Done()
			if d := time.Since(start); d >= larder.DefaultLease {
				t.Errorf("commit was told after %v, when its barrier was gone", d)
			}
			return context.Cause(ctx)
		})
		if err == nil || errors.Is(err, larder.ErrInvalidationPending) {
			t.Errorf("got %v, want that the barrier was lost", err)
		}
	})
}

// Where Redis does not answer the commit is made, within one CacheTimeout, and the
// invalidation is delivered later.
func TestCommitTagsWithoutRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 100 * time.Millisecond
		e := newEngine(t)
		h := newHook(t, e)
		var source atomic.Int64
		source.Store(1)
		o := larder.Options[string, int64]{
			CacheTimeout: timeout,
			Load:         func(context.Context, string) (int64, error) { return source.Load(), nil },
			Tags:         func(string) []string { return []string{"x"} },
		}
		c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
		for _, by := range []*larder.Cache[string, int64]{c, other} {
			if _, err := by.Get(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
		}
		h.on(func(ctx context.Context, _ string, _ func()) error { <-ctx.Done(); return ctx.Err() })
		start := time.Now()
		err := c.CommitTags(t.Context(), []string{"x"}, func(context.Context) error { source.Store(2); return errDown })
		if !errors.Is(err, larder.ErrInvalidationPending) || !errors.Is(err, errDown) {
			t.Error(err)
		}
		if d := time.Since(start); d > timeout {
			t.Errorf("it took %v", d)
		}
		h.on(nil)
		if v, err := c.Get(t.Context(), "k"); v != 2 || err != nil {
			t.Errorf("this process got %d, %v while the invalidation was pending", v, err)
		}
		time.Sleep(2 * time.Second)
		if v, err := other.Get(t.Context(), "k"); v != 2 || err != nil {
			t.Errorf("another one got %d, %v when it was delivered", v, err)
		}
	})
}
