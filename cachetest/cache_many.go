package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder"
)

// batches is a source of squares that remembers which keys were asked together.
type batches struct {
	mu    sync.Mutex // protects calls
	calls [][]int
}

func (b *batches) loadMany(_ context.Context, keys []int) (map[int]int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, slices.Clone(keys))
	out := map[int]int{}
	for _, k := range keys {
		if k >= 0 {
			out[k] = k * k
		}
	}
	return out, nil
}

var manyTests = map[string]func(*testing.T, *instance){
	"GetMany loads what is missing, together": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(batches)
		c := open(t, in, larder.Options[int, int]{LoadMany: src.loadMany})
		got, err := c.GetMany(ctx, []int{2, 3, 2, -1})
		if err != nil || len(got) != 2 || got[2] != 4 || got[3] != 9 {
			t.Fatalf("got %v, %v", got, err)
		}
		got, err = c.GetMany(ctx, []int{1, 2, 3, 4})
		if err != nil || len(got) != 4 || got[1] != 1 || got[4] != 16 {
			t.Fatalf("got %v, %v", got, err)
		}
		if len(src.calls) != 2 || len(src.calls[0]) != 3 || len(src.calls[1]) != 2 {
			t.Errorf("the loader was asked for %v", src.calls)
		}
		one, err := c.Get(ctx, 4)
		want(t, one, err, 16)
		one, err = c.Get(ctx, 5) // LoadMany serves Get too
		want(t, one, err, 25)
		if _, err := c.Get(ctx, -1); !errors.Is(err, larder.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
		if none, err := c.GetMany(ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("no keys: %v, %v", none, err)
		}
	},

	"GetMany loads one by one where there is no LoadMany": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var running, most atomic.Int64
		c := open(t, in, larder.Options[int, string]{
			Load: func(_ context.Context, k int) (string, error) {
				n := running.Add(1)
				defer running.Add(-1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				switch k {
				case 13:
					return "", fmt.Errorf("load %d failed", k)
				case 14:
					return "", larder.ErrNotFound
				}
				return strconv.Itoa(k), nil
			},
		})
		keys := make([]int, 100)
		for i := range keys {
			keys[i] = i
		}
		got, err := c.GetMany(ctx, keys)
		if err == nil || len(got) != 98 || got[99] != "99" {
			t.Errorf("%d values, error %v; want 98 and one error", len(got), err)
		}
		if most.Load() > 16 {
			t.Errorf("%d loads at a time", most.Load())
		}
	},

	"a batch that fails, fails its keys and leaves nothing": func(t *testing.T, in *instance) {
		ctx, boom, fail := testContext(t), errors.New("boom"), true
		c := open(t, in, larder.Options[int, int]{
			LoadMany: func(_ context.Context, keys []int) (map[int]int, error) {
				if fail {
					return nil, boom
				}
				return (*batches).loadMany(new(batches), ctx, keys)
			},
		})
		if got, err := c.GetMany(ctx, []int{1, 2}); !errors.Is(err, boom) || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
		fail = false
		if got, err := c.GetMany(ctx, []int{1, 2}); err != nil || len(got) != 2 {
			t.Errorf("got %v, %v", got, err)
		}
	},

	"a batch overtaken by an invalidation does not land": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var version atomic.Int64
		started, release := make(chan struct{}), make(chan struct{})
		c := open(t, in, larder.Options[int, int64]{
			LoadMany: func(_ context.Context, keys []int) (map[int]int64, error) {
				v := version.Load()
				if v == 0 {
					close(started)
					<-release
				}
				out := map[int]int64{}
				for _, k := range keys {
					out[k] = v
				}
				return out, nil
			},
		})
		done := make(chan error, 1)
		go func() {
			_, err := c.GetMany(ctx, []int{1, 2, 3})
			done <- err
		}()
		receive(t, "the load", started)
		version.Store(1)
		if err := c.Invalidate(ctx, 2); err != nil {
			t.Fatal(err)
		}
		close(release)
		if err := receive(t, "the batch", done); err != nil {
			t.Fatal(err)
		}
		for key, v := range map[int]int64{1: 0, 2: 1, 3: 0} {
			if got, err := c.Get(ctx, key); err != nil || got != v {
				t.Errorf("key %d is %d, %v, want %d", key, got, err, v)
			}
		}
	},

	"Warm loads what is missing and reports": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads, running, most atomic.Int64
		c := open(t, in, larder.Options[int, int]{
			Load: func(_ context.Context, k int) (int, error) {
				loads.Add(1)
				n := running.Add(1)
				defer running.Add(-1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				if k%50 == 7 {
					return 0, errors.New("no")
				}
				return k, nil
			},
		})
		if _, err := c.Get(ctx, 3); err != nil {
			t.Fatal(err)
		}
		keys := func(yield func(int) bool) {
			for i := range 200 {
				if !yield(i) {
					return
				}
			}
		}
		var reports []larder.WarmReport
		report, err := c.Warm(ctx, keys, larder.WarmOptions{
			Concurrency: 3, Progress: func(r larder.WarmReport) { reports = append(reports, r) },
		})
		if err == nil || report != (larder.WarmReport{Done: 196, Failed: 4}) {
			t.Errorf("report %+v, error %v", report, err)
		}
		if n := loads.Load(); n != 200 {
			t.Errorf("%d loads, want 200: one key was there already", n)
		}
		if most.Load() > 3 {
			t.Errorf("%d loads at a time, want 3 at most", most.Load())
		}
		if len(reports) != 200 || reports[199] != report {
			t.Errorf("%d reports, the last %+v", len(reports), reports[len(reports)-1])
		}
	},

	"Warm uses batches, and ends with its context": func(t *testing.T, in *instance) {
		ctx, cancel := context.WithCancel(testContext(t))
		defer cancel()
		src := new(batches)
		c := open(t, in, larder.Options[int, int]{LoadMany: src.loadMany})
		forever := func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		}
		report, err := c.Warm(ctx, forever, larder.WarmOptions{
			Batch: 10, Concurrency: 1, Progress: func(r larder.WarmReport) {
				if r.Done >= 50 {
					cancel()
				}
			},
		})
		if !errors.Is(err, context.Canceled) || report.Done < 50 {
			t.Errorf("report %+v, error %v", report, err)
		}
		if len(src.calls[0]) != 10 {
			t.Errorf("a batch of %d", len(src.calls[0]))
		}
		if _, err := c.Warm(ctx, forever, larder.WarmOptions{Concurrency: -1}); err == nil {
			t.Error("a negative Concurrency was accepted")
		}
	},
}
