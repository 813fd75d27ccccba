package cachetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
)

// counter is a source whose value is the number of times that it was asked.
type counter struct{ n atomic.Int64 }

func (c *counter) load(context.Context, string) (int64, error) { return c.n.Add(1), nil }

var readTests = map[string]func(*testing.T, *instance){
	"a value is loaded once": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load})
		for range 3 {
			got, err := c.Get(ctx, "k")
			want(t, got, err, 1)
		}
		got, err := c.Get(ctx, "another")
		want(t, got, err, 2)
		s := c.Stats()
		if s.Loads != 2 || s.Misses != 2 || s.L1Hits+s.L2Hits != 2 || s.HitRatio() != 0.5 {
			t.Errorf("stats: %+v", s)
		}
	},

	"zero values are values": func(t *testing.T, in *instance) {
		zeroValue(t, in, "int", 0)
		zeroValue(t, in, "string", "")
		zeroValue(t, in, "bool", false)
		zeroValue(t, in, "pointer", (*int)(nil))
		zeroValue(t, in, "struct", struct{ A int }{})
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[string, []byte]{
			Namespace: "slice",
			Load:      func(context.Context, string) ([]byte, error) { loads++; return nil, nil },
		})
		for range 2 {
			if got, err := c.Get(ctx, "k"); err != nil || got != nil {
				t.Errorf("got %v, %v, want a nil slice", got, err)
			}
		}
		if loads != 1 {
			t.Errorf("a nil slice was loaded %d times", loads)
		}
	},

	"keys of every kind": func(t *testing.T, in *instance) {
		type page struct {
			Tenant string
			Number int
		}
		keyKind(t, in, "string", "a:b {c} *?[]\\ \x00\xff", "")
		keyKind(t, in, "int", 42, -42)
		keyKind(t, in, "uint64", uint64(1)<<63, 0)
		keyKind(t, in, "struct", page{"a&b", 1}, page{"a", 1})
	},

	"what does not exist is asked for each time": func(t *testing.T, in *instance) {
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[string, int]{
			Load: func(context.Context, string) (int, error) {
				loads++
				return 7, fmt.Errorf("no such row: %w", larder.ErrNotFound)
			},
		})
		for range 2 {
			if v, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrNotFound) || v != 0 {
				t.Errorf("got %v, %v, want ErrNotFound", v, err)
			}
		}
		if loads != 2 {
			t.Errorf("%d loads, want 2", loads)
		}
	},

	"what does not exist is remembered for NegativeTTL": func(t *testing.T, in *instance) {
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[string, int]{
			NegativeTTL: time.Minute,
			Load: func(context.Context, string) (int, error) {
				if loads++; loads == 1 {
					return 0, larder.ErrNotFound
				}
				return loads, nil
			},
		})
		for range 3 {
			if _, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrNotFound) {
				t.Errorf("error %v, want ErrNotFound", err)
			}
		}
		if err := c.Invalidate(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
	},

	"a loader's error is returned as it is, and not cached": func(t *testing.T, in *instance) {
		ctx, boom, loads := testContext(t), errors.New("boom"), 0
		c := open(t, in, larder.Options[string, int]{
			Load: func(context.Context, string) (int, error) {
				if loads++; loads == 1 {
					return 0, boom
				}
				return loads, nil
			},
		})
		if _, err := c.Get(ctx, "k"); err != boom { //nolint:errorlint // identity is the promise
			t.Errorf("error %v, want %v itself", err, boom)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
		if s := c.Stats(); s.LoadErrors != 1 || s.Loads != 2 {
			t.Errorf("stats: %+v", s)
		}
	},

	"a loader that panics is an error": func(t *testing.T, in *instance) {
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[string, int]{
			Load: func(context.Context, string) (int, error) {
				if loads++; loads == 1 {
					panic("at the disco")
				}
				return loads, nil
			},
		})
		if _, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrLoaderPanic) {
			t.Errorf("error %v, want ErrLoaderPanic", err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
	},

	"a cancelled caller leaves, its load goes on for the others": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		started, release := make(chan struct{}), make(chan struct{})
		c := open(t, in, larder.Options[string, int]{
			Load: func(ctx context.Context, _ string) (int, error) {
				close(started)
				select {
				case <-release:
					return 1, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			},
		})
		cctx, cancel := context.WithCancel(ctx)
		left := make(chan error, 1)
		go func() {
			_, err := c.Get(cctx, "k")
			left <- err
		}()
		receive(t, "the load starts", started)
		cancel()
		if err := receive(t, "the caller leaves", left); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		close(release)
		got, err := c.Get(ctx, "k")
		want(t, got, err, 1)
		if s := c.Stats(); s.Loads != 1 {
			t.Errorf("%d loads, want 1", s.Loads)
		}
	},

	"a context that has ended is an error before anything is asked": func(t *testing.T, in *instance) {
		src := new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := c.Get(ctx, "k"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get: %v", err)
		}
		if _, err := c.GetMany(ctx, []string{"k"}); !errors.Is(err, context.Canceled) {
			t.Errorf("GetMany: %v", err)
		}
		if err := c.Set(ctx, "k", 1); !errors.Is(err, context.Canceled) {
			t.Errorf("Set: %v", err)
		}
		if err := c.Invalidate(ctx, "k"); !errors.Is(err, context.Canceled) {
			t.Errorf("Invalidate: %v", err)
		}
		if n := src.n.Load(); n != 0 {
			t.Errorf("%d loads, want none", n)
		}
	},

	"a loader that does not end is left behind": func(t *testing.T, in *instance) {
		ctx, hang := testContext(t), make(chan struct{})
		defer close(hang)
		c := open(t, in, larder.Options[string, int]{
			LoadTimeout: 20 * time.Millisecond,
			Load:        func(context.Context, string) (int, error) { <-hang; return 1, nil },
		})
		if _, err := c.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want context.DeadlineExceeded", err)
		}
		got, err := c.GetWith(ctx, "k", func(context.Context, string) (int, error) { return 2, nil })
		want(t, got, err, 2)
	},

	"a value expires": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load, TTL: 40 * time.Millisecond, Jitter: -1})
		got, err := c.Get(ctx, "k")
		want(t, got, err, 1)
		eventually(t, "another load", func() bool {
			v, err := c.Get(ctx, "k")
			return err == nil && v > 1
		})
	},

	"a stale value is served at once and renewed behind": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		loads := make(chan int, 8) // one value per permitted load
		c := open(t, in, larder.Options[string, int]{
			TTL: 30 * time.Millisecond, Jitter: -1, StaleFor: time.Hour,
			Load: func(ctx context.Context, _ string) (int, error) {
				select {
				case v := <-loads:
					return v, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			},
		})
		loads <- 1
		got, err := c.Get(ctx, "k")
		want(t, got, err, 1)
		eventually(t, "a stale hit", func() bool {
			got, err := c.Get(ctx, "k")
			want(t, got, err, 1)
			return c.Stats().StaleHits > 3
		})
		loads <- 2
		eventually(t, "the renewed value", func() bool {
			got, err := c.Get(ctx, "k")
			if err != nil {
				t.Fatal(err)
			}
			return got == 2
		})
		if err := c.Invalidate(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		loads <- 3
		loads <- 3
		got, err = c.Get(ctx, "k")
		want(t, got, err, 3)
	},

	"a stale value outlives a failing source, which is left in peace": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads atomic.Int64
		c := open(t, in, larder.Options[string, string]{
			TTL: 20 * time.Millisecond, Jitter: -1, StaleFor: time.Hour, RetryAfter: time.Hour,
			Load: func(context.Context, string) (string, error) {
				if loads.Add(1) > 1 {
					return "", errors.New("the source is down")
				}
				return "good", nil
			},
		})
		got, err := c.Get(ctx, "k")
		want(t, got, err, "good")
		eventually(t, "a failed refresh", func() bool {
			got, err := c.Get(ctx, "k")
			want(t, got, err, "good")
			return c.Stats().LoadErrors == 1
		})
		for range 200 {
			got, err := c.Get(ctx, "k")
			want(t, got, err, "good")
		}
		if n := loads.Load(); n != 2 {
			t.Errorf("%d loads, want 2", n)
		}
	},
}

func zeroValue[V comparable](t *testing.T, in *instance, name string, zero V) {
	t.Helper()
	ctx, loads := testContext(t), 0
	c := open(t, in, larder.Options[string, V]{
		Namespace: "zero-" + name,
		Load:      func(context.Context, string) (V, error) { loads++; return zero, nil },
	})
	for range 2 {
		got, err := c.Get(ctx, "k")
		want(t, got, err, zero)
	}
	if loads != 1 {
		t.Errorf("the zero %s was loaded %d times", name, loads)
	}
}

func keyKind[K comparable](t *testing.T, in *instance, name string, keys ...K) {
	t.Helper()
	ctx := testContext(t)
	c := open(t, in, larder.Options[K, K]{
		Namespace: "kind-" + name,
		Load:      func(_ context.Context, key K) (K, error) { return key, nil },
		Codec:     gobCodec[K]{},
	})
	for range 2 {
		for _, key := range keys {
			got, err := c.Get(ctx, key)
			want(t, got, err, key)
		}
	}
	if s := c.Stats(); s.Loads != uint64(len(keys)) {
		t.Errorf("%s: %d loads, want %d", name, s.Loads, len(keys))
	}
	if err := c.Invalidate(ctx, keys[0]); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		got, err := c.Get(ctx, key)
		want(t, got, err, key)
	}
	if s := c.Stats(); s.Loads != uint64(len(keys))+1 {
		t.Errorf("%s: %d loads after one invalidation, want %d", name, s.Loads, len(keys)+1)
	}
}
