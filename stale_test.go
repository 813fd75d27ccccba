package larder_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// A refresh fails, so for RetryAfter nobody tries again: the stale value is good
// enough. Then it is cleared. Who may not use it any more does not wait.
func TestPauseAfterFailedRefreshIsForThoseWithAStaleValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 20 * time.Millisecond
		var down atomic.Bool
		c := newCache(t, newHook(t, newEngine(t)), larder.Options[string, int64]{
			TTL: ttl, StaleFor: time.Hour, RetryAfter: time.Minute, L1MaxBytes: -1,
			Load: func(context.Context, string) (int64, error) {
				if down.Load() {
					return 0, errDown
				}
				return 1, nil
			},
		})
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * ttl)
		down.Store(true)
		if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
			t.Fatalf("the stale value: %d, %v", v, err)
		}
		synctest.Wait()
		if s := c.Stats(); s.StaleHits != 1 || s.LoadErrors != 1 {
			t.Fatalf("no refresh has failed: %+v", s)
		}
		down.Store(false)
		if err := c.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
			t.Errorf("after Clear: %d, %v", v, err)
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("Get waited %v where nobody loads", d)
		}
	})
}

// The refresh behind a stale value learns that the source no longer stands for
// it: it is gone, or too large to be stored.
func TestRefreshThatStoresNothingDropsTheStaleValue(t *testing.T) {
	large := strings.Repeat("x", 2000)
	for _, local := range []bool{true, false} {
		for name, next := range map[string]struct {
			value string
			err   error
		}{
			"not found": {"", larder.ErrNotFound},
			"too large": {large, nil},
		} {
			for how, ask := range asks[string]() {
				t.Run(fmt.Sprintf("%s, by %s, local %t", name, how, local), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						const ttl = 50 * time.Millisecond
						var c conn.Conn
						if !local {
							c = newHook(t, newEngine(t))
						}
						var loads atomic.Int64
						cache := newCache(t, c, larder.Options[string, string]{
							TTL: ttl, StaleFor: time.Hour, MaxValueBytes: 1000,
							LoadMany: func(_ context.Context, keys []string) (map[string]string, error) {
								switch {
								case loads.Add(1) == 1:
									return map[string]string{keys[0]: "old"}, nil
								case next.err != nil:
									return nil, nil
								}
								return map[string]string{keys[0]: next.value}, nil
							},
						})
						for range 2 {
							if v, err := ask(t.Context(), cache, "k"); v != "old" || err != nil {
								t.Fatalf("got %.9q, %v", v, err)
							}
							time.Sleep(2 * ttl)
						}
						if n := cache.Stats().StaleHits; n != 1 {
							t.Fatalf("%d stale hits, want 1", n)
						}
						if v, err := ask(t.Context(), cache, "k"); v != next.value || !errors.Is(err, next.err) {
							t.Errorf("got %.9q, %v after the refresh", v, err)
						}
					})
				})
			}
		}
	}
}

func TestGetAndGetManyServeTheSameStaleValue(t *testing.T) {
	for _, local := range []bool{true, false} {
		for how, ask := range asks[int64]() {
			t.Run(fmt.Sprintf("%s, local %t", how, local), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const ttl = 50 * time.Millisecond
					var c conn.Conn
					if !local {
						c = newHook(t, newEngine(t))
					}
					var down atomic.Bool
					cache := newCache(t, c, larder.Options[string, int64]{
						TTL: ttl, StaleFor: time.Hour,
						Load: func(context.Context, string) (int64, error) {
							if down.Load() {
								return 0, errDown
							}
							return 1, nil
						},
					})
					if _, err := cache.Get(t.Context(), "k"); err != nil {
						t.Fatal(err)
					}
					down.Store(true)
					time.Sleep(2 * ttl)
					if v, err := ask(t.Context(), cache, "k"); v != 1 || err != nil {
						t.Errorf("got %d, %v, want the stale 1", v, err)
					}
				})
			})
		}
	}
}
