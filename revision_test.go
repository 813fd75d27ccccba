package larder_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

func revisionOf(v revisioned) uint64 { return uint64(v.Rev) }

// One of two services does not know of revisions: it is of the version before, or was
// rolled back to it. What it sets replaces what is there.
func TestSetOfACacheWithoutRevisionIsNotIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		var version atomic.Int64
		version.Store(1)
		o := larder.Options[string, revisioned]{Load: func(context.Context, string) (revisioned, error) {
			return revisioned{Rev: 10 + version.Load(), N: version.Load()}, nil
		}}
		plain := newCache(t, e.Connect(), o)
		o.Revision = revisionOf
		c := newCache(t, e.Connect(), o)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		version.Store(2)
		if err := plain.Set(t.Context(), "k", revisioned{Rev: 12, N: 2}); err != nil {
			t.Fatal(err)
		}
		if v, err := plain.Get(t.Context(), "k"); v.N != 2 || err != nil {
			t.Errorf("after Set has returned nil: %+v, %v", v, err)
		}
	})
}

// Options.Revision says that nothing of a lower one replaces a value, and that
// InvalidateBelow refuses lower ones for the TTL.
func TestLowerRevisionsAreRefusedWithoutRedisToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var replica atomic.Int64
		c := newCache(t, nil, larder.Options[string, revisioned]{
			Load: func(context.Context, string) (revisioned, error) {
				return revisioned{Rev: replica.Load()}, nil
			},
			Revision: revisionOf,
		})
		if err := c.Set(t.Context(), "set", revisioned{Rev: 10}); err != nil {
			t.Fatal(err)
		}
		if err := c.Set(t.Context(), "set", revisioned{Rev: 9}); err != nil {
			t.Fatal(err)
		}
		if v, err := c.Get(t.Context(), "set"); v.Rev != 10 || err != nil {
			t.Errorf("a Set of revision 9 replaced 10: %+v, %v", v, err)
		}

		replica.Store(9)
		if err := c.InvalidateBelow(t.Context(), "k", 10); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(t.Context(), "k"); err != nil { // from a replica that lags behind
			t.Fatal(err)
		}
		replica.Store(10)
		if v, err := c.Get(t.Context(), "k"); v.Rev != 10 || err != nil {
			t.Errorf("after InvalidateBelow 10: %+v, %v, from the cache", v, err)
		}
	})
}

// InvalidateBelow refuses lower revisions for the TTL, also where a value that is not
// lower stands at first, and goes before that.
func TestTombstoneOutlivesTheValueThatMadeItNeedless(t *testing.T) {
	ctx := t.Context()
	for name, between := range map[string]func(*larder.Cache[string, revisioned]) error{
		"the value expires":        func(*larder.Cache[string, revisioned]) error { time.Sleep(31 * time.Second); return nil },
		"the value is invalidated": func(c *larder.Cache[string, revisioned]) error { return c.Invalidate(ctx, "k") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var replica atomic.Int64
				replica.Store(10)
				c := newCache(t, newEngine(t).Connect(), larder.Options[string, revisioned]{
					Load: func(context.Context, string) (revisioned, error) {
						return revisioned{Rev: replica.Load()}, nil
					},
					Revision: revisionOf,
				})
				if _, err := c.Get(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(30 * time.Second) // of a minute
				if err := c.InvalidateBelow(t.Context(), "k", 10); err != nil {
					t.Fatal(err)
				}
				if err := between(c); err != nil {
					t.Fatal(err)
				}
				replica.Store(9) // one that lags behind answers
				if _, err := c.Get(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				replica.Store(10)
				if v, err := c.Get(t.Context(), "k"); v.Rev != 10 || err != nil {
					t.Errorf("within the TTL after InvalidateBelow 10: %+v, %v, from the cache", v, err)
				}
			})
		})
	}
}

// What the source no longer has is remembered for NegativeTTL, also where the value
// that is gone had a revision and only a tag of it was invalidated.
func TestMissingValueIsRememberedAfterATagInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, revisioned]{
			NegativeTTL: time.Minute,
			Load: func(context.Context, string) (revisioned, error) {
				if gone.Load() {
					return revisioned{}, larder.ErrNotFound
				}
				return revisioned{Rev: 10}, nil
			},
			Revision: revisionOf,
			Tags:     func(string) []string { return []string{"tag"} },
		})
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		gone.Store(true)
		if err := c.InvalidateTags(t.Context(), "tag"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, _ = c.Get(t.Context(), "k")
		}
		if n := c.Stats().Loads; n != 2 {
			t.Errorf("%d loads; want one of the value, and one that found it gone", n)
		}
	})
}
