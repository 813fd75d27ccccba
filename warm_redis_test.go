package larder_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
)

// warmSource has ten thousand values, of which each thousandth cannot be loaded.
// Those of another residue are invalidated while they are being loaded.
type warmSource struct {
	versions      [10_000]atomic.Int64
	invalidate    func(ctx context.Context, key int) error // by another process
	concurrency   int64
	running, most atomic.Int64
	full          chan struct{} // closed when as many loads run as may
	once          sync.Once
	loads         atomic.Int64
}

const failing, overtaken = 7, 500 // residues of 1000

func (w *warmSource) load(ctx context.Context, keys ...int) (map[int]int64, error) {
	n := w.running.Add(1)
	defer w.running.Add(-1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	if n == w.concurrency {
		w.once.Do(func() { close(w.full) })
	}
	select { // the first loads wait for each other
	case <-w.full:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.loads.Add(int64(len(keys)))
	values := make(map[int]int64, len(keys))
	for _, key := range keys {
		if key%1000 == failing {
			return nil, errDown
		}
		values[key] = w.versions[key].Load()
		if key%1000 == overtaken && w.versions[key].CompareAndSwap(0, 1) {
			if err := w.invalidate(ctx, key); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

// Warming is gentle, tells how far it is, goes on after failures, and does not
// bring back what is invalidated meanwhile.
func TestWarmTenThousandKeys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts   larder.WarmOptions
		batch  int // keys that are loaded together
		failed int
	}{
		"one by one": {larder.WarmOptions{Concurrency: 12}, 1, 10},
		"in batches": {larder.WarmOptions{Concurrency: 4, Batch: 50}, 50, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, 3*time.Minute)
			server := redistest.Start(t)
			open := opener(server.URL())
			w := &warmSource{concurrency: int64(tt.opts.Concurrency), full: make(chan struct{})}
			o := larder.Options[int, int64]{Namespace: "warm", TTL: time.Hour, CacheTimeout: 10 * time.Second}
			if tt.batch > 1 {
				o.LoadMany = func(ctx context.Context, keys []int) (map[int]int64, error) { return w.load(ctx, keys...) }
			} else {
				o.Load = func(ctx context.Context, key int) (int64, error) {
					m, err := w.load(ctx, key)
					return m[key], err
				}
			}
			caches := make([]*larder.Cache[int, int64], 2)
			for i := range caches {
				c := open(t)
				cache, err := larder.New(c, o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					_ = cache.Close()
					_ = c.Close()
				})
				caches[i] = cache
			}
			cache, other := caches[0], caches[1]
			w.invalidate = func(ctx context.Context, key int) error { return other.Invalidate(ctx, key) }

			keys := make([]int, len(w.versions))
			for i := range keys {
				keys[i] = i
			}
			var last larder.WarmReport
			calls := 0
			tt.opts.Progress = func(now larder.WarmReport) { // never two at a time: the race detector looks
				calls++
				if now.Done < last.Done || now.Failed < last.Failed ||
					now.Done+now.Failed != last.Done+last.Failed+tt.batch {
					t.Errorf("progress from %+v to %+v", last, now)
				}
				last = now
			}
			report, err := cache.Warm(ctx, slices.Values(keys), tt.opts)
			if !errors.Is(err, errDown) {
				t.Errorf("error %v, want the loader's", err)
			}
			if want := (larder.WarmReport{Done: len(keys) - tt.failed, Failed: tt.failed}); report != want || last != want {
				t.Errorf("report %+v, last progress %+v; want %+v", report, last, want)
			}
			if want := len(keys) / tt.batch; calls != want {
				t.Errorf("%d reports of progress, want %d", calls, want)
			}
			if most := w.most.Load(); most != w.concurrency {
				t.Errorf("%d loads ran at a time, want %d", most, w.concurrency)
			}

			for _, c := range []*larder.Cache[int, int64]{other, cache} {
				for key := overtaken; key < len(keys); key += 1000 {
					if v, err := c.Get(ctx, key); err != nil || v != 1 {
						t.Errorf("key %d: version %d, %v: version 0 was invalidated while it was loaded", key, v, err)
					}
				}
			}
			loads := w.loads.Load()
			for _, key := range keys {
				if b := key % 1000; b/tt.batch == failing/tt.batch || b == overtaken {
					continue
				}
				if v, err := cache.Get(ctx, key); err != nil || v != 0 {
					t.Fatalf("key %d: %d, %v", key, v, err)
				}
			}
			if n := w.loads.Load() - loads; n != 0 {
				t.Errorf("%d loads of keys that are warm", n)
			}
		})
	}
}
