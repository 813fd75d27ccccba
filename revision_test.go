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
