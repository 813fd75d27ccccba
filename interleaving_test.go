package larder_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder"
)

// Redis accepts the fill of version 1, and its answer is on the way. An
// invalidation comes and goes. A Get that starts now joins the load that is about
// to end, and must not be given its value.
func TestLateJoinerIsNotServedAnInvalidatedValue(t *testing.T) {
	for name, tt := range map[string]struct {
		l1       int64
		sameConn bool
	}{
		"another process invalidates, no L1": {l1: -1},
		"another process invalidates":        {},
		"another cache of this process does": {sameConn: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var version atomic.Int64
				version.Store(1)
				c := newCache(t, h, larder.Options[string, int64]{
					L1MaxBytes: tt.l1,
					Load:       func(context.Context, string) (int64, error) { return version.Load(), nil },
				})
				other := larder.Options[string, int64]{L1MaxBytes: tt.l1}
				invalidator := newCache(t, e.Connect(), other)
				if tt.sameConn {
					invalidator = newCache(t, h, other)
				}

				filled, deliver := h.holdAnswer("fill")
				early := get(t.Context(), c, "k")
				<-filled
				version.Store(2)
				if err := invalidator.Invalidate(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				late := get(t.Context(), c, "k")
				synctest.Wait()
				if n := c.Stats().Misses; n != 2 {
					t.Fatalf("%d misses: the late Get did not join", n)
				}
				deliver()
				if a := <-early; a.err != nil {
					t.Error(a.err)
				}
				if a := <-late; a.value != 2 || a.err != nil {
					t.Errorf("a Get after the invalidation returned version %d, %v", a.value, a.err)
				}
			})
		})
	}
}
