package larder_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder"
)

// An invalidation by tag concerns all namespaces. Where it could not be delivered, none
// of the caches over the connection may use what Redis holds, whichever was asked to
// invalidate, and whether or not they still have it in memory.
func TestPendingTagCountsForAllCachesOfTheProcess(t *testing.T) {
	invalidations := map[string]func(context.Context, *hook, *larder.Cache[string, int64]) error{
		"another cache": func(ctx context.Context, _ *hook, c *larder.Cache[string, int64]) error {
			return c.InvalidateTags(ctx, "tag")
		},
		"another cache, behind a barrier": func(ctx context.Context, _ *hook, c *larder.Cache[string, int64]) error {
			return c.CommitTags(ctx, []string{"tag"}, func(context.Context) error { return nil })
		},
		"the package": func(ctx context.Context, h *hook, _ *larder.Cache[string, int64]) error {
			return larder.InvalidateTags(ctx, h, "tag")
		},
	}
	for name, invalidate := range invalidations {
		for memory, l1 := range map[string]int64{"L1": 0, "no L1": -1} {
			t.Run(name+", "+memory, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHook(t, newEngine(t))
					var version atomic.Int64
					version.Store(1)
					c := newCache(t, h, larder.Options[string, int64]{
						L1MaxBytes: l1,
						Tags:       func(string) []string { return []string{"tag"} },
						Load:       func(context.Context, string) (int64, error) { return version.Load(), nil },
					})
					other := newCache(t, h, larder.Options[string, int64]{Namespace: "other"})
					for _, key := range []string{"k", "seldom"} {
						wants(t, c, key, 1)
					}
					again := h.failing("bump", "bar", "lift")
					version.Store(2)
					if err := invalidate(t.Context(), h, other); !errors.Is(err, larder.ErrInvalidationPending) {
						t.Fatal(err)
					}
					// The first Get reads the generation, which is still the old one.
					for _, key := range []string{"k", "seldom", "k"} {
						wants(t, c, key, 2)
					}
					again()
					elapse(larder.DefaultLease)
					version.Store(3) // it is delivered: what was stored meanwhile is dropped,
					wants(t, c, "k", 3)
					version.Store(4) // and what is loaded now counts
					wants(t, c, "k", 3)
				})
			})
		}
	}
}

// An Invalidate could not be delivered, so the lease of a load that began before it
// still stands, and its fill is accepted. Nobody of this process may be served that.
func TestPendingInvalidationKeepsLateFillsOutOfMemory(t *testing.T) {
	for name, same := range map[string]bool{"the cache": true, "another cache of the namespace": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t, newEngine(t))
				var version atomic.Int64
				version.Store(1)
				loading, proceed := make(chan struct{}, 10), make(chan struct{}, 10)
				o := larder.Options[string, int64]{Load: func(context.Context, string) (int64, error) {
					v := version.Load()
					loading <- struct{}{}
					<-proceed
					return v, nil
				}}
				c := newCache(t, h, o)
				invalidator := c
				if !same {
					invalidator = newCache(t, h, o)
				}
				early := get(t.Context(), c, "k")
				<-loading
				h.failing("invalidate")
				version.Store(2)
				if err := invalidator.Invalidate(t.Context(), "k"); !errors.Is(err, larder.ErrInvalidationPending) {
					t.Fatal(err)
				}
				proceed <- struct{}{}
				if a := <-early; a.err != nil {
					t.Fatal(a.err)
				}
				proceed <- struct{}{}
				if a := <-get(t.Context(), c, "k"); a.value != 2 || a.err != nil {
					t.Errorf("a Get after Invalidate, which is pending, returned version %d, %v", a.value, a.err)
				}
			})
		})
	}
}
