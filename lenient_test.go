package larder_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// While Redis is away a strict cache loads for each Get; a lenient one serves what
// it has loaded for StalenessBound, and forgets it with its own invalidations.
func TestLenientSparesTheSourceForStalenessBound(t *testing.T) {
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const bound = 2 * time.Second
				var version, loads atomic.Int64
				h := newHook(t, newEngine(t))
				c := newCache(t, h, larder.Options[string, int64]{
					Lenient: lenient, StalenessBound: bound,
					Tags: func(string) []string { return []string{"x"} },
					Load: func(context.Context, string) (int64, error) {
						loads.Add(1)
						return version.Load(), nil
					},
				})
				want := func(strict, inLenient int64, what string) {
					t.Helper()
					if lenient {
						strict = inLenient
					}
					if v, err := c.Get(t.Context(), "k"); v != strict || err != nil {
						t.Errorf("%s: got version %d, %v, want %d", what, v, err, strict)
					}
				}
				h.on(func(context.Context, string, func()) error { return errDown })
				want(0, 0, "the first Get")
				version.Store(1)
				want(1, 0, "the next one")
				time.Sleep(bound - 10*time.Millisecond)
				want(1, 0, "just within the bound")
				time.Sleep(10 * time.Millisecond)
				want(1, 1, "at the bound")
				for what, invalidate := range map[string]func() error{
					"key":       func() error { return c.Invalidate(t.Context(), "k") },
					"tag":       func() error { return c.InvalidateTags(t.Context(), "x") },
					"namespace": func() error { return c.Clear(t.Context()) },
				} {
					version.Add(1)
					if err := invalidate(); !errors.Is(err, larder.ErrInvalidationPending) {
						t.Errorf("%s: %v", what, err)
					}
					want(version.Load(), version.Load(), "after its own invalidation by "+what)
				}
				before := loads.Load()
				for range 100 {
					_, _ = c.Get(t.Context(), "k")
				}
				// Each try to deliver what is pending may drop what was loaded since.
				if n := loads.Load() - before; lenient != (n <= 3) {
					t.Errorf("%d loads for 100 Gets", n)
				}
				h.on(nil)
				time.Sleep(time.Minute) // what is pending is delivered
				want(version.Load(), version.Load(), "when Redis is back")
			})
		})
	}
}
