package larder_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A key that is refused takes its batch with it: nobody has looked at its
// neighbours.
func TestWarmCountsAsDoneWhatIsInTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, newHook(t, newEngine(t)), larder.Options[string, int64]{
			MaxKeyBytes: 10, LoadMany: alwaysMany(1),
		})
		keys := []string{"a", "b", strings.Repeat("x", 11), "c", "d"}
		report, err := c.Warm(t.Context(), slices.Values(keys), larder.WarmOptions{Batch: 2})
		if err == nil {
			t.Error("no error for a key that is too long")
		}
		fills := int(c.Stats().Fills)
		if want := (larder.WarmReport{Done: fills, Failed: len(keys) - fills}); report != want || fills < 3 {
			t.Errorf("%+v, but %d values were stored", report, fills)
		}
	})
}

// The sequence of keys panics while a key that it has yielded is being loaded.
func TestWarmEndsItsWorkersWhereTheKeysPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loaded atomic.Bool
		c := newCache(t, nil, larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) {
				time.Sleep(time.Second)
				loaded.Store(true)
				return 1, nil
			},
		})
		defer func() {
			if p := recover(); p != "no more keys" {
				t.Errorf("the panic became %v", p)
			}
			if !loaded.Load() {
				t.Error("Warm left its workers behind")
			}
		}()
		_, _ = c.Warm(t.Context(), func(yield func(string) bool) {
			yield("k")
			panic("no more keys")
		}, larder.WarmOptions{})
	})
}
