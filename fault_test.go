package larder_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// Where an exchange fails nobody knows whether Redis has executed it. Whatever it
// was, the lease does not stay behind, so the next caller loads and does not wait.
func TestLostExchangeLeavesNoLease(t *testing.T) {
	lost := errors.New("the connection was cut")
	for name, tt := range map[string]struct {
		op       string
		executed bool
	}{
		"the answer to acquire": {"acquire", true},
		"acquire":               {"acquire", false},
		"the answer to fill":    {"fill", true},
		"fill":                  {"fill", false},
	} {
		for source, o := range map[string]larder.Options[string, int64]{
			"Load": {Load: always(1)}, "LoadMany": {LoadMany: alwaysMany(1)},
		} {
			for how, ask := range asks[int64]() {
				t.Run(fmt.Sprintf("%s of %s with %s", name, how, source), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						e := newEngine(t)
						h := newHook(t, e)
						c, other := newCache(t, h, o), newCache(t, e.Connect(), o)
						h.on(func(_ context.Context, op string, run func()) error {
							if op != tt.op || tt.executed {
								run()
							}
							if op == tt.op {
								return lost
							}
							return nil
						})
						if v, err := ask(t.Context(), c, "k"); v != 1 || err != nil {
							t.Fatalf("got %d, %v", v, err)
						}
						synctest.Wait() // the lease is given back behind the caller
						start := time.Now()
						if v, err := ask(t.Context(), other, "k"); v != 1 || err != nil {
							t.Errorf("another process got %d, %v", v, err)
						}
						if d := time.Since(start); d > 0 {
							t.Errorf("another process waited %v for a lease that nobody holds", d)
						}
					})
				})
			}
		}
	}
}

// The request that sets a value is cancelled between the two steps of Set, and
// the invalidation that makes up for it cannot be delivered either.
func TestUnfinishedSetLeavesNoLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		h := newHook(t, e)
		c := newCache(t, h, larder.Options[string, int64]{Load: always(1)})
		other := newCache(t, e.Connect(), larder.Options[string, int64]{Load: always(1)})
		ctx, cancel := context.WithCancel(t.Context())
		h.on(func(ctx context.Context, op string, run func()) error {
			switch op {
			case "acquire":
				run()
				cancel()
				return nil
			case "fill", "invalidate":
				<-ctx.Done()
				return ctx.Err()
			}
			run()
			return nil
		})
		if err := c.Set(ctx, "k", 2); !errors.Is(err, larder.ErrInvalidationPending) {
			t.Fatalf("Set: %v, want ErrInvalidationPending", err)
		}
		synctest.Wait() // the lease is given back behind the caller, whose time is over
		start := time.Now()
		if v, err := other.Get(t.Context(), "k"); v != 1 || err != nil {
			t.Errorf("another process got %d, %v", v, err)
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("another process waited %v for a lease that nobody holds", d)
		}
	})
}

// A Redis that hangs, at whatever exchange, costs a Get no more than CacheTimeout
// on the way to its answer.
func TestHangingRedisCostsOneCacheTimeout(t *testing.T) {
	const timeout = 50 * time.Millisecond
	for op, key := range map[string]string{
		"GET": "missing", "capture": "missing", "acquire": "missing",
		"TIME": "stored", // is asked where an entry was found
	} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				o := larder.Options[string, int64]{CacheTimeout: timeout, Load: always(1)}
				if _, err := newCache(t, e.Connect(), o).Get(t.Context(), "stored"); err != nil {
					t.Fatal(err)
				}
				h := newHook(t, e)
				h.silence(op)
				c := newCache(t, h, o)
				start := time.Now()
				if v, err := c.Get(t.Context(), key); v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
				if d := time.Since(start); d > timeout {
					t.Errorf("Get took %v", d)
				}
				if h.count(op) == 0 {
					t.Error("there was no such exchange")
				}
			})
		})
	}
}

// Each exchange by itself is within CacheTimeout, all of them together are not.
func TestSlowRedisCostsOneCacheTimeout(t *testing.T) {
	const timeout = 250 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		h := newHook(t, newEngine(t))
		h.on(func(ctx context.Context, _ string, run func()) error {
			select {
			case <-time.After(160 * time.Millisecond):
				run()
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		asked := make(chan time.Time, 1)
		c := newCache(t, h, larder.Options[string, int64]{
			CacheTimeout: timeout,
			Tags:         func(string) []string { return []string{"tag"} },
			Load: func(context.Context, string) (int64, error) {
				asked <- time.Now()
				return 1, nil
			},
		})
		start := time.Now()
		if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
		if d := (<-asked).Sub(start); d > timeout {
			t.Errorf("the loader was asked after %v", d)
		}
	})
}

// A user's function may end its goroutine, as t.FailNow does.
func TestGoexitInOptionsEndsTheCall(t *testing.T) {
	for name, o := range map[string]larder.Options[string, int64]{
		"Tags": {
			Load: always(1),
			Tags: func(string) []string { runtime.Goexit(); return nil },
		},
		"Load": {
			Load: func(context.Context, string) (int64, error) { runtime.Goexit(); return 0, nil },
		},
		"LoadMany": {
			LoadMany: func(context.Context, []string) (map[string]int64, error) { runtime.Goexit(); return nil, nil },
		},
	} {
		for how, ask := range asks[int64]() {
			t.Run(name+" of "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newCache(t, nil, o)
					_, err := ask(within(t, time.Second), c, "k")
					if err == nil || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("error %v; want one that says what happened", err)
					}
				})
			})
		}
	}
}
