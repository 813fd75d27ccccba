package larder_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A process dies in the middle of a WriteThrough. When its barrier is over nobody is
// served from the cache what was there before the write, nor waits for anything.
func TestWriteThroughThatCrashesLeavesNothingOld(t *testing.T) {
	for name, tt := range map[string]struct {
		at       string // the exchange from which on the process is dead
		executed bool   // it was executed still
		inMutate string // where in mutate it died: "before" or "after" the commit
	}{
		"before the barrier":           {at: "bar"},
		"after the barrier":            {at: "bar", executed: true},
		"in mutate, before the commit": {inMutate: "before"},
		"in mutate, after the commit":  {inMutate: "after"},
		"before the barrier is lifted": {at: "lift"},
		"when the barrier was lifted":  {at: "lift", executed: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var source atomic.Int64
				source.Store(1)
				o := larder.Options[string, int64]{
					TTL: time.Hour, StaleFor: time.Hour,
					Load: func(context.Context, string) (int64, error) { return source.Load(), nil },
				}
				c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
				if _, err := other.Get(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				var dead atomic.Bool
				h.on(dying(&dead, tt.at, tt.executed))
				_ = c.WriteThrough(t.Context(), "k", func(context.Context) (int64, error) {
					if dead.Load() {
						return 0, errDown
					}
					if tt.inMutate == "before" {
						dead.Store(true)
						return 0, errDown
					}
					source.Store(2)
					if tt.inMutate == "after" {
						dead.Store(true)
					}
					return 2, nil
				})
				time.Sleep(larder.DefaultLease)
				start := time.Now()
				if v, err := other.Get(t.Context(), "k"); v != source.Load() || err != nil {
					t.Errorf("got %d, %v; the source has %d", v, err, source.Load())
				}
				if d := time.Since(start); d > 0 {
					t.Errorf("Get waited %v", d)
				}
			})
		})
	}
}

// A Redis that hangs costs a call one CacheTimeout, not one for each exchange.
func TestHangingRedisCostsAWriterOneCacheTimeout(t *testing.T) {
	const timeout = 100 * time.Millisecond
	for name, write := range map[string]func(context.Context, *larder.Cache[string, int64], func()) error{
		"WriteThrough, until mutate": func(ctx context.Context, c *larder.Cache[string, int64], done func()) error {
			return c.WriteThrough(ctx, "k", func(context.Context) (int64, error) { done(); return 1, nil })
		},
		"WriteThrough, with mutate": func(ctx context.Context, c *larder.Cache[string, int64], done func()) error {
			defer done()
			return c.WriteThrough(ctx, "k", func(context.Context) (int64, error) { return 1, nil })
		},
		"Set": func(ctx context.Context, c *larder.Cache[string, int64], done func()) error {
			defer done()
			return c.Set(ctx, "k", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t, newEngine(t))
				c := newCache(t, h, larder.Options[string, int64]{
					CacheTimeout: timeout, Load: always(1),
					TagsOf: func(string, int64) []string { return []string{"tag"} },
				})
				h.on(func(ctx context.Context, _ string, _ func()) error { <-ctx.Done(); return ctx.Err() })
				start := time.Now()
				var took time.Duration
				err := write(t.Context(), c, func() { took = time.Since(start) })
				if !errors.Is(err, larder.ErrInvalidationPending) {
					t.Error(err)
				}
				if took > timeout {
					t.Errorf("%v on Redis, which does not answer", took)
				}
				h.on(nil)
			})
		})
	}
}

// A function that is asked about a loaded value ends its goroutine. The lease does not
// stay behind.
func TestGoexitAfterTheLoadLeavesNoLease(t *testing.T) {
	for name, o := range map[string]larder.Options[string, int64]{
		"TagsOf":   {TagsOf: func(string, int64) []string { runtime.Goexit(); return nil }},
		"Revision": {Revision: func(int64) uint64 { runtime.Goexit(); return 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				o.Load = always(1)
				c, other := newCache(t, e.Connect(), o), newCache(t, e.Connect(), larder.Options[string, int64]{Load: always(1)})
				if _, err := c.Get(t.Context(), "k"); err == nil {
					t.Error("no error")
				}
				synctest.Wait()
				start := time.Now()
				if v, err := other.Get(t.Context(), "k"); v != 1 || err != nil {
					t.Errorf("another process got %d, %v", v, err)
				}
				if d := time.Since(start); d > 0 {
					t.Errorf("another process waited %v for a lease that nobody holds", d)
				}
			})
		})
	}
}

// Close is called while mutate runs. It waits, or what cannot be delivered afterwards
// is not said to be pending.
func TestCloseWaitsForWriteThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		h := newHook(t, e)
		var source atomic.Int64
		source.Store(1)
		o := larder.Options[string, int64]{
			TTL:  time.Hour,
			Load: func(context.Context, string) (int64, error) { return source.Load(), nil },
		}
		c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
		again := h.failing("bar", "lift")
		commit, written := make(chan struct{}), make(chan error, 1)
		go func() {
			written <- c.WriteThrough(t.Context(), "k", func(context.Context) (int64, error) {
				<-commit
				source.Store(2)
				return 2, nil
			})
		}()
		synctest.Wait()
		if _, err := other.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- c.Close() }()
		synctest.Wait()
		close(commit)
		werr, cerr := <-written, <-closed
		again()
		time.Sleep(time.Minute)
		v, err := other.Get(t.Context(), "k")
		if v != 2 && errors.Is(werr, larder.ErrInvalidationPending) && cerr == nil {
			t.Errorf("WriteThrough: %v; Close: %v; the invalidation is lost: %d, %v", werr, cerr, v, err)
		}
	})
}
