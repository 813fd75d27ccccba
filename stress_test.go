package larder_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
)

// versions is a source whose values only grow. A Get that begins when a write has
// returned must not see less than that write's version.
type versions struct {
	now, floor [8]atomic.Int64
}

func (v *versions) load(_ context.Context, key int) (int64, error) {
	n := v.now[key].Load()
	if rand.IntN(3) == 0 {
		<-time.After(rand.N(2 * time.Millisecond)) // so that writes overtake it
	}
	return n, nil
}

func (v *versions) loadMany(ctx context.Context, keys []int) (map[int]int64, error) {
	m := make(map[int]int64, len(keys))
	for _, k := range keys {
		m[k], _ = v.load(ctx, k)
	}
	return m, nil
}

// grow makes new versions of keys and returns what to call when the cache has
// been told.
func (v *versions) grow(keys ...int) (told func()) {
	made := make([]int64, len(keys))
	for i, k := range keys {
		made[i] = v.now[k].Add(1)
	}
	return func() {
		for i, k := range keys {
			for old := v.floor[k].Load(); old < made[i] && !v.floor[k].CompareAndSwap(old, made[i]); old = v.floor[k].Load() {
			}
		}
	}
}

// All ways to write and to read at once, in two processes of which one has no L1,
// with values that become stale and expire all the time.
func TestNoReadIsOlderThanAWriteBeforeIt(t *testing.T) {
	const (
		writers, writes = 3, 40
		readers         = 4
	)
	ctx := within(t, time.Minute)
	e := newEngine(t)
	var source versions
	open := func(l1 int64) *larder.Cache[int, int64] {
		c, err := larder.New(e.Connect(), larder.Options[int, int64]{
			Namespace: "ns", TTL: 10 * time.Millisecond, StaleFor: 50 * time.Millisecond, L1MaxBytes: l1,
			CacheTimeout: 10 * time.Second, // of a slow machine
			Load:         source.load, LoadMany: source.loadMany,
			Tags: func(int) []string { return []string{"tag"} },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	caches := []*larder.Cache[int, int64]{open(0), open(-1)}
	all := make([]int, len(source.now))
	for i := range all {
		all[i] = i
	}

	// A value that is set must not be older than one that another writer has
	// invalidated meanwhile: Set is alone.
	var alone sync.RWMutex
	write := func(c *larder.Cache[int, int64], key int) error {
		kind := rand.IntN(5)
		if kind == 0 {
			alone.Lock()
			defer alone.Unlock()
			told := source.grow(key)
			defer told()
			return c.Set(ctx, key, source.now[key].Load())
		}
		alone.RLock()
		defer alone.RUnlock()
		keys := all
		if kind < 3 {
			keys = []int{key}
		}
		told := source.grow(keys...)
		defer told()
		switch kind {
		case 1:
			return c.Invalidate(ctx, key)
		case 2:
			return c.InvalidatePrefix(ctx, fmt.Sprint(key))
		case 3:
			return c.InvalidateTags(ctx, "tag")
		default:
			return c.Clear(ctx)
		}
	}
	read := func(c *larder.Cache[int, int64], key int) {
		keys := []int{key, (key + 1) % len(all)}
		least := []int64{source.floor[keys[0]].Load(), source.floor[keys[1]].Load()}
		var got map[int]int64
		var err error
		if rand.IntN(4) == 0 {
			got, err = c.GetMany(ctx, keys)
		} else {
			keys = keys[:1]
			got = map[int]int64{}
			got[key], err = c.Get(ctx, key)
		}
		for i, k := range keys {
			if err != nil || got[k] < least[i] {
				t.Errorf("key %d: version %d, %v; %d was written before", k, got[k], err, least[i])
			}
		}
	}

	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for range writers {
		writing.Go(func() {
			for range writes {
				if err := write(caches[0], rand.IntN(len(all))); err != nil {
					t.Error(err)
				}
				<-time.After(rand.N(2 * time.Millisecond))
			}
		})
	}
	for _, c := range caches {
		for range readers {
			reading.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						read(c, rand.IntN(len(all)))
					}
				}
			})
		}
	}
	writing.Wait()
	close(done)
	reading.Wait()
}
