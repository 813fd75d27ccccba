package larder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// LoadSoftTimeout is how long a GetMany waits, not how long it waits for each key.
func TestGetManyWaitsOneSoftTimeout(t *testing.T) {
	const soft = 100 * time.Millisecond
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, o := range map[string]larder.Options[string, int64]{
		"Load":     {Load: func(ctx context.Context, _ string) (int64, error) { return 0, hang(ctx) }},
		"LoadMany": {LoadMany: func(ctx context.Context, _ []string) (map[string]int64, error) { return nil, hang(ctx) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o.LoadSoftTimeout = soft
				c := newCache(t, newEngine(t).Connect(), o)
				start := time.Now()
				if _, err := c.GetMany(t.Context(), numbered(10)); !errors.Is(err, larder.ErrLoadTimeout) {
					t.Error(err)
				}
				if d := time.Since(start); d > soft {
					t.Errorf("GetMany waited %v", d)
				}
			})
		})
	}
}

// Nor is it how long a Get waits for each of the loads that are overtaken by
// invalidations.
func TestGetWaitsOneSoftTimeout(t *testing.T) {
	const soft = 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		o := larder.Options[string, int64]{
			LoadSoftTimeout: soft,
			Load: func(context.Context, string) (int64, error) {
				time.Sleep(80 * time.Millisecond)
				return 1, nil
			},
		}
		c, other := newCache(t, e.Connect(), o), newCache(t, e.Connect(), o)
		first := get(t.Context(), c, "k")
		time.Sleep(time.Millisecond)
		start := time.Now()
		late := get(t.Context(), c, "k") // joins the load
		time.Sleep(time.Millisecond)
		if err := other.Invalidate(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		a := <-late
		if d := time.Since(start); d > soft {
			t.Errorf("Get waited %v: %d, %v", d, a.value, a.err)
		}
		<-first
		time.Sleep(soft) // the load that it has left ends
	})
}
