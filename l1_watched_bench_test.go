package larder_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/internal/sidebyside"
)

// BenchmarkL1HitWatched compares hits in L1 with an Observer, and with the consistency
// probe as well, with hits without either: x-bare is the ratio, and ns/op less ns/op
// over x-bare the difference.
//
//	go test -run '^$' -bench L1HitWatched -count 10 .
func BenchmarkL1HitWatched(b *testing.B) {
	for name, o := range map[string]larder.Options[int64, *user]{
		"observer": {Observer: observetest.New(b)},
		"probe":    {Observer: observetest.New(b), ProbeEvery: time.Second},
	} {
		b.Run(name, func(b *testing.B) {
			ctx, keys := context.Background(), zipfKeys(func(i int) int64 { return int64(i) })
			bare := watchedCache(b, larder.Options[int64, *user]{}, keys)
			watched := watchedCache(b, o, keys)
			hit := func(c *larder.Cache[int64, *user]) func(int) error {
				return func(i int) error {
					_, err := c.Get(ctx, keys[i%len(keys)])
					return err
				}
			}
			sidebyside.Run(b, runtime.GOMAXPROCS(0), hit(bare), hit(watched))
			if s := watched.Stats(); s.Misses > l1Entries {
				b.Errorf("%d misses", s.Misses)
			}
		})
	}
}

func watchedCache(b *testing.B, o larder.Options[int64, *user], keys []int64) *larder.Cache[int64, *user] {
	b.Helper()
	o.Namespace, o.TTL, o.Local, o.L1MaxBytes = "bench", time.Hour, true, 1<<30
	o.Load = func(_ context.Context, id int64) (*user, error) { return &user{ID: id, Name: "somebody"}, nil }
	c, err := larder.New(nil, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	for _, key := range keys {
		if _, err := c.Get(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// A hit in L1 asks for no memory, whoever watches.
func TestWatchedHitsCostNoMemory(t *testing.T) {
	c := newCache(t, nil, larder.Options[string, int64]{
		Observer: observetest.New(t), Load: always(1), ProbeEvery: time.Hour,
	})
	ctx := t.Context()
	get := func() {
		if v, err := c.Get(ctx, "k"); v != 1 || err != nil {
			t.Error(v, err)
		}
	}
	get()
	if n := testing.AllocsPerRun(1000, get); n != 0 {
		t.Errorf("%v allocations for each hit", n)
	}
}
