package larder_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// A process dies at some point of a WriteThrough: nothing that it sends after is
// executed. Whatever it has written, another process serves it once the barrier is
// over, and before that loads.
func TestWriteThroughIsSafeWhereverTheProcessDies(t *testing.T) {
	const lease = 5 * time.Second
	// The exchanges of a WriteThrough that takes a while, as a test below makes sure.
	for _, lost := range []bool{false, true} {
		for died, at := range []string{"capture", "GET", "bar", "bar", "bar", "lift"} {
			for _, committed := range []bool{false, true} {
				if at[0] != 'b' && committed != (at == "lift") {
					continue // it dies before, or after, the source is written
				}
				t.Run(fmt.Sprintf("exchange %d %s, committed %v, answer lost %v", died, at, committed, lost), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var source atomic.Int64
						source.Store(1)
						load := func(context.Context, string) (int64, error) { return source.Load(), nil }
						e := newEngine(t)
						h := newHook(t, e)
						c := newCache(t, h, larder.Options[string, int64]{Lease: lease, Load: load})
						other := newCache(t, e.Connect(), larder.Options[string, int64]{Lease: lease, Load: load})
						if _, err := other.Get(t.Context(), "k"); err != nil {
							t.Fatal(err)
						}
						var seen atomic.Int64
						h.on(func(_ context.Context, op string, run func()) error {
							n := int(seen.Add(1))
							if n <= died || lost && n == died+1 {
								run()
							}
							if n <= died {
								return nil
							}
							return errDown
						})
						mutate := func(ctx context.Context) (int64, error) {
							for int(seen.Load()) <= died && ctx.Err() == nil && at == "bar" {
								time.Sleep(lease / 3) // the barrier is extended
							}
							if committed {
								source.Store(2)
							} else {
								return 0, errDown // dead: it never gets as far
							}
							return 2, nil
						}
						_ = c.WriteThrough(t.Context(), "k", mutate)
						if died < 2 || died == 2 && !lost {
							return // no barrier yet: the error says that the invalidation is pending
						}
						time.Sleep(2 * lease)
						if v, err := other.Get(t.Context(), "k"); v != source.Load() || err != nil {
							t.Errorf("another process got %d, %v: the source has %d", v, err, source.Load())
						}
					})
				})
			}
		}
	}
}

// The exchanges that a WriteThrough makes: what the test above counts on.
func TestExchangesOfWriteThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, newEngine(t))
		c := newCache(t, h, larder.Options[string, int64]{Lease: 3 * time.Second, Load: always(1)})
		var mu sync.Mutex // protects ops
		var ops []string
		h.on(func(_ context.Context, op string, run func()) error {
			mu.Lock()
			ops = append(ops, op)
			mu.Unlock()
			run()
			return nil
		})
		err := c.WriteThrough(t.Context(), "k", func(context.Context) (int64, error) {
			time.Sleep(2500 * time.Millisecond)
			return 2, nil
		})
		mu.Lock()
		defer mu.Unlock()
		if got := fmt.Sprint(ops); err != nil || got != "[capture bar bar bar lift]" {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// Redis is away: the source is written all the same, and the caller told that the
// cache does not know yet.
func TestWriteThroughWithoutRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var source atomic.Int64
		source.Store(1)
		load := func(context.Context, string) (int64, error) { return source.Load(), nil }
		e := newEngine(t)
		h := newHook(t, e)
		c := newCache(t, h, larder.Options[string, int64]{Load: load})
		other := newCache(t, e.Connect(), larder.Options[string, int64]{Load: load})
		for _, by := range []*larder.Cache[string, int64]{c, other} {
			if _, err := by.Get(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
		}
		h.on(func(context.Context, string, func()) error { return errDown })
		err := c.WriteThrough(t.Context(), "k", func(context.Context) (int64, error) {
			source.Store(2)
			return 2, nil
		})
		if !errors.Is(err, larder.ErrInvalidationPending) || source.Load() != 2 {
			t.Fatalf("%v, the source has %d", err, source.Load())
		}
		if v, err := c.Get(t.Context(), "k"); v != 2 || err != nil {
			t.Errorf("the writer's own process got %d, %v", v, err)
		}
		h.on(nil)
		time.Sleep(time.Minute)
		if v, err := other.Get(t.Context(), "k"); v != 2 || err != nil {
			t.Errorf("delivered, and another process got %d, %v", v, err)
		}
		// And one whose barrier was put up, although the answer was lost.
		h.on(func(_ context.Context, op string, run func()) error {
			run()
			if op == "bar" {
				return errDown
			}
			return nil
		})
		if err := c.WriteThrough(t.Context(), "k", func(context.Context) (int64, error) { source.Store(3); return 3, nil }); err != nil {
			t.Errorf("Redis was there in the end: %v", err)
		}
		for _, by := range []*larder.Cache[string, int64]{c, other} {
			if v, err := by.Get(t.Context(), "k"); v != 3 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		}
	})
}

// The barrier is lost while the source is written: mutate is told, by the end of its
// context, before anybody could store an old value behind its back.
func TestMutateEndsBeforeItsBarrier(t *testing.T) {
	const lease = 10 * time.Second
	for name, lose := range map[string]func(h *hook, evict func()){
		"Redis does not answer": func(h *hook, _ func()) {
			h.on(func(ctx context.Context, _ string, _ func()) error { <-ctx.Done(); return ctx.Err() })
		},
		"evicted": func(_ *hook, evict func()) { evict() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				c := newCache(t, h, larder.Options[string, int64]{Lease: lease, Load: always(1)})
				side := e.Connect()
				defer func() { _ = side.Close() }()
				start := time.Now()
				err := c.WriteThrough(t.Context(), "k", func(ctx context.Context) (int64, error) {
					lose(h, func() {
						if _, err := side.Do(t.Context(), conn.Key("DEL", "ns:k")); err != nil {
							t.Error(err)
						}
					})
					<-ctx.Done()
					if d := time.Since(start); d >= lease {
						t.Errorf("told after %v, the barrier ends after %v", d, lease)
					}
					return 0, context.Cause(ctx)
				})
				if err == nil || errors.Is(err, context.Canceled) {
					t.Errorf("mutate was told %v", err)
				}
				h.on(nil)
				time.Sleep(time.Minute)
			})
		})
	}
}

// A caller that goes away takes its mutation's context along, and the barrier.
func TestWriteThroughWhoseCallerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		c := newCache(t, e.Connect(), larder.Options[string, int64]{Load: always(1)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.WriteThrough(ctx, "k", func(ctx context.Context) (int64, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		before := c.Stats().Loads
		for range 3 {
			if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		}
		if n := c.Stats().Loads - before; n != 1 {
			t.Errorf("%d loads: a barrier is left", n)
		}
	})
}
