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

// soon makes a cache refresh every value ahead of time as soon as it is read.
func soon(o larder.Options[string, int64]) larder.Options[string, int64] {
	o.RefreshAhead, o.Jitter, o.TTL = 100, -1, 100*time.Second
	load := o.Load
	o.LoadTimeout = 10 * time.Hour
	o.Load = func(ctx context.Context, key string) (int64, error) {
		select {
		case <-time.After(time.Hour): // times RefreshAhead: long before the value is even there
			return load(ctx, key)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return o
}

// A refresh ahead of time is under way when the value is invalidated, and another
// process loads it anew. Who asks now wants a value, not the news that another process
// sees to it.
func TestMissDoesNotShareTheFateOfARefreshAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		h := newHook(t, e)
		o := soon(larder.Options[string, int64]{Load: always(1)})
		c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		proceed := make(chan struct{})
		h.on(func(_ context.Context, op string, run func()) error {
			if op == "acquire" {
				<-proceed
			}
			run()
			return nil
		})
		if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil { // begins the refresh
			t.Fatal(v, err)
		}
		synctest.Wait()
		if h.count("acquire") != 2 {
			t.Fatal("no refresh ahead of time")
		}
		if err := other.Invalidate(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		theirs := get(t.Context(), other, "k")
		synctest.Wait() // the other process holds the lease
		ours := get(t.Context(), c, "k")
		synctest.Wait()
		close(proceed)
		if a := <-ours; a.value != 1 || a.err != nil {
			t.Errorf("a Get that missed: %d, %v", a.value, a.err)
		}
		<-theirs
	})
}

// The value that a refresh wanted to replace has been replaced, by one that this
// process must not use: its tag was invalidated.
func TestRefreshAheadDoesNotSpinOnAnEntryItMustNotUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		h := newHook(t, e)
		o := soon(larder.Options[string, int64]{
			Load: always(1),
			Tags: func(string) []string { return []string{"tag"} },
		})
		c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		proceed := make(chan struct{})
		var asked atomic.Int64
		h.on(func(_ context.Context, op string, run func()) error {
			if op == "acquire" {
				<-proceed
				if asked.Add(1) > 100 {
					return errors.New("enough")
				}
			}
			run()
			return nil
		})
		if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil { // begins the refresh
			t.Fatal(v, err)
		}
		synctest.Wait()
		if err := other.Set(t.Context(), "k", 2); err != nil {
			t.Fatal(err)
		}
		if err := other.InvalidateTags(t.Context(), "tag"); err != nil {
			t.Fatal(err)
		}
		close(proceed)
		synctest.Wait()
		if n := asked.Load(); n > 10 {
			t.Errorf("the lease was asked for %d times without a pause", n)
		}
	})
}

// L1 forgets a value before its TTL. A refresh that begins in that time replaces what
// Redis holds for longer, and is granted all the same.
func TestRefreshAheadWithAShortL1TTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, newEngine(t))
		o := soon(larder.Options[string, int64]{Load: always(1)})
		o.L1TTL = 50 * time.Second
		c := newCache(t, h, o)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		acquired := h.count("acquire")
		for range 20 {
			if _, err := c.Get(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := c.Stats().Loads; n != 2 {
			t.Errorf("%d loads; want a second one, ahead of time", n)
		}
		if n := h.count("acquire") - acquired; n > 1 {
			t.Errorf("the lease was asked for %d times, for one refresh", n)
		}
	})
}

// While the namespace is being cleared over a time, a value's life is cut, and a
// refresh ahead of time is to replace it all the same.
func TestRefreshAheadWhileCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, newEngine(t))
		o := soon(larder.Options[string, int64]{Load: always(1)})
		c := newCache(t, h, o)
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := c.ClearOver(t.Context(), 95*time.Second); err != nil {
			t.Fatal(err)
		}
		acquired := h.count("acquire")
		for range 20 {
			if _, err := c.Get(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := c.Stats().Loads; n != 2 {
			t.Errorf("%d loads; want a second one, ahead of time", n)
		}
		if n := h.count("acquire") - acquired; n > 1 {
			t.Errorf("the lease was asked for %d times, for one refresh", n)
		}
	})
}
