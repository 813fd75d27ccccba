package larder_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A loader that asks whether a value has changed gets the old one where it is stale.
func TestLoadItemGetsTheStaleValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := make(chan larder.Item[int64], 10)
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, int64]{
			StaleFor: time.Hour,
			LoadItem: func(_ context.Context, _ string, o larder.Item[int64]) (larder.Item[int64], error) {
				old <- o
				return larder.Item[int64]{Value: 1, Validator: "etag"}, nil
			},
		})
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		<-old
		time.Sleep(2 * time.Minute)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := <-old; got.Validator != "etag" || got.Value != 1 {
			t.Errorf("the loader got %+v", got)
		}
	})
}

// ClearOver ends what was loaded before it, also what was on its way then.
func TestClearOverReachesLoadsUnderWay(t *testing.T) {
	for name, local := range map[string]bool{"with Redis": false, "without Redis": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loading, proceed := make(chan struct{}, 10), make(chan struct{}, 10)
				n := int64(0)
				o := larder.Options[string, int64]{
					Load: func(context.Context, string) (int64, error) {
						n++
						loading <- struct{}{}
						v := n
						<-proceed
						return v, nil
					},
				}
				c := newCache(t, nil, o)
				if !local {
					c = newCache(t, newEngine(t).Connect(), o)
				}
				early := get(t.Context(), c, "k")
				<-loading
				if err := c.ClearOver(t.Context(), time.Second); err != nil {
					t.Fatal(err)
				}
				close(proceed)
				<-early
				time.Sleep(2 * time.Second)
				if v, err := c.Get(t.Context(), "k"); v != 2 || err != nil {
					t.Errorf("a second after the last entry was to end: %d, %v", v, err)
				}
			})
		})
	}
}

// A second ClearOver within the time of the first drops at once what that has left.
func TestSecondClearOverDropsWhatTheFirstHasLeft(t *testing.T) {
	for name, local := range map[string]bool{"with Redis": false, "without Redis": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := larder.Options[string, int64]{TTL: 24 * time.Hour, Load: always(1)}
				c := newCache(t, nil, o)
				if !local {
					c = newCache(t, newEngine(t).Connect(), o)
				}
				keys := numbered(20)
				if _, err := c.GetMany(t.Context(), keys); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				for range 2 {
					if err := c.ClearOver(t.Context(), 24*time.Hour); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				if _, err := c.GetMany(t.Context(), keys); err != nil {
					t.Fatal(err)
				}
				if n := c.Stats().Loads; n != 40 {
					t.Errorf("%d loads of 20 keys; want each twice", n)
				}
			})
		})
	}
}
