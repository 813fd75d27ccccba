package larder_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

type revisioned struct{ Rev, N int64 }

// failing lets the ops fail until the function it returns is called.
func (w *watch) failing(ops ...string) (answerAgain func()) {
	w.on(func(_ context.Context, op string, run func()) error {
		if slices.Contains(ops, op) {
			return errors.New("the connection was cut")
		}
		run()
		return nil
	})
	return func() { w.on(nil) }
}

// A Clear that could not be delivered is owed. A ClearOver of another process leaves
// the old entries there, so it does not pay that debt.
func TestPendingClearIsNotPaidByAClearOver(t *testing.T) {
	for name, clear := range map[string]func(context.Context, *larder.Cache[string, int64]) error{
		"Clear": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.Clear(ctx) },
		"InvalidatePrefix": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			return c.InvalidatePrefix(ctx, "k")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var version atomic.Int64
				version.Store(1)
				o := larder.Options[string, int64]{
					TTL:  24 * time.Hour,
					Load: func(context.Context, string) (int64, error) { return version.Load(), nil },
				}
				c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
				keys := numbered(20)
				if _, err := c.GetMany(t.Context(), keys); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				version.Store(2)
				again := h.failing("bump", "invalidate")
				if err := clear(t.Context(), c); !errors.Is(err, larder.ErrInvalidationPending) {
					t.Fatalf("%s: %v", name, err)
				}
				time.Sleep(10 * time.Millisecond)
				if err := other.ClearOver(t.Context(), 24*time.Hour); err != nil {
					t.Fatal(err)
				}
				again()
				time.Sleep(10 * time.Second)
				if n := c.Stats().Pending; n != 0 {
					t.Fatalf("%d pending", n)
				}
				for _, c := range []*larder.Cache[string, int64]{c, other} {
					got, err := c.GetMany(t.Context(), keys)
					if err != nil {
						t.Fatal(err)
					}
					old := 0
					for _, v := range got {
						if v == 1 {
							old++
						}
					}
					if old > 0 {
						t.Errorf("%d of %d values from before the Clear that is said to be delivered", old, len(keys))
					}
				}
			})
		})
	}
}

// Both an Invalidate and an InvalidateBelow of one key are owed. A value of a higher
// revision stands, which the second would leave and the first must drop.
func TestPendingInvalidateIsNotPaidByATombstone(t *testing.T) {
	ctx := t.Context()
	invalidate := func(c *larder.Cache[string, revisioned]) error { return c.Invalidate(ctx, "k") }
	below := func(c *larder.Cache[string, revisioned]) error { return c.InvalidateBelow(ctx, "k", 5) }
	for name, ops := range map[string][]func(*larder.Cache[string, revisioned]) error{
		"Invalidate first":      {invalidate, below},
		"InvalidateBelow first": {below, invalidate},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var version atomic.Int64
				version.Store(1)
				o := larder.Options[string, revisioned]{
					Load: func(context.Context, string) (revisioned, error) {
						return revisioned{Rev: 10, N: version.Load()}, nil
					},
					Revision: func(v revisioned) uint64 { return uint64(v.Rev) },
				}
				c := newCache(t, h, o)
				if _, err := c.Get(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				version.Store(2)
				again := h.failing("invalidate", "entomb")
				for _, op := range ops {
					if err := op(c); !errors.Is(err, larder.ErrInvalidationPending) {
						t.Fatal(err)
					}
				}
				again()
				time.Sleep(10 * time.Second)
				if n := c.Stats().Pending; n != 0 {
					t.Fatalf("%d pending", n)
				}
				if v, err := c.Get(t.Context(), "k"); v.N != 2 || err != nil {
					t.Errorf("got %+v, %v: the Invalidate was said to be delivered", v, err)
				}
			})
		})
	}
}

// The tags that only the value knows are invalidated while it is loaded, and that
// cannot be delivered. The process itself knows, and must not use the value for those
// who come later, as it does not with Options.Tags.
func TestUndeliveredTagInvalidationCountsForLateTagsToo(t *testing.T) {
	for name, o := range map[string]larder.Options[string, int64]{
		"Tags":   {Tags: func(string) []string { return []string{"tag"} }},
		"TagsOf": {TagsOf: func(string, int64) []string { return []string{"tag"} }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t, newEngine(t))
				var version atomic.Int64
				version.Store(1)
				loading, proceed := make(chan struct{}, 10), make(chan struct{}, 10)
				o.Load = func(context.Context, string) (int64, error) {
					v := version.Load()
					loading <- struct{}{}
					<-proceed
					return v, nil
				}
				c := newCache(t, h, o)
				proceed <- struct{}{}
				if _, err := c.Get(t.Context(), "first"); err != nil { // the tag is there now
					t.Fatal(err)
				}
				<-loading
				time.Sleep(time.Second)
				early := get(t.Context(), c, "k")
				<-loading
				h.failing("bump")
				version.Store(2)
				if err := c.InvalidateTags(t.Context(), "tag"); !errors.Is(err, larder.ErrInvalidationPending) {
					t.Fatal(err)
				}
				late := get(t.Context(), c, "k")
				synctest.Wait()
				proceed <- struct{}{}
				proceed <- struct{}{}
				<-early
				if a := <-late; a.value != 2 || a.err != nil {
					t.Errorf("a Get after InvalidateTags, which is pending, returned version %d, %v", a.value, a.err)
				}
			})
		})
	}
}

// What stands under a key may be of another program. An invalidation gets rid of it,
// whichever it is.
func TestInvalidationsGetThroughToForeignTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		other := e.Connect()
		defer func() { _ = other.Close() }()
		o := larder.Options[string, revisioned]{Revision: func(v revisioned) uint64 { return uint64(v.Rev) }}
		for name, tt := range map[string]struct {
			key        string
			invalidate func(context.Context, *larder.Cache[string, revisioned]) error
		}{
			"Invalidate": {"ns:k", func(ctx context.Context, c *larder.Cache[string, revisioned]) error { return c.Invalidate(ctx, "k") }},
			"InvalidateBelow": {"ns:k", func(ctx context.Context, c *larder.Cache[string, revisioned]) error {
				return c.InvalidateBelow(ctx, "k", 5)
			}},
			"InvalidateTags": {"~tag:x", func(ctx context.Context, c *larder.Cache[string, revisioned]) error {
				return c.InvalidateTags(ctx, "x")
			}},
			"Clear": {"~ns:ns", func(ctx context.Context, c *larder.Cache[string, revisioned]) error { return c.Clear(ctx) }},
		} {
			c := newCache(t, e.Connect(), o)
			hset(t, other, tt.key)
			if err := tt.invalidate(t.Context(), c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(time.Minute)
			if n := c.Stats().Pending; n != 0 {
				t.Errorf("%s: %d pending after a minute", name, n)
			}
			del(t, other, tt.key)
		}
	})
}
