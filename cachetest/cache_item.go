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

// row is a value with a version.
type row struct {
	N, Version int64
	Owner      string
}

var itemTests = map[string]func(*testing.T, *instance){
	"LoadItem decides how long a value is fresh": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads atomic.Int64
		ttl := map[string]time.Duration{"long": 0, "short": 20 * time.Millisecond, "none": -1}
		c := open(t, in, larder.Options[string, int64]{
			LoadItem: func(_ context.Context, key string, _ larder.Item[int64]) (larder.Item[int64], error) {
				return larder.Item[int64]{Value: loads.Add(1), TTL: ttl[key]}, nil
			},
		})
		fill(t, c, "none", "none", "long", "short") // 1, 2, 3, 4
		expect(t, c, map[string]int64{"long": 3})
		eventually(t, "the end of a short TTL", func() bool { v, err := c.Get(ctx, "short"); return err == nil && v > 4 })
		expect(t, c, map[string]int64{"long": 3})
	},

	"a load that finds its value not modified keeps it": func(t *testing.T, in *instance) {
		ctx, tag := testContext(t), in.tag("x")
		var asked, sent atomic.Int64
		value := atomic.Int64{}
		value.Store(10)
		c := open(t, in, larder.Options[string, int64]{
			Tags: func(string) []string { return []string{tag} },
			LoadItem: func(_ context.Context, _ string, old larder.Item[int64]) (larder.Item[int64], error) {
				asked.Add(1)
				etag := fmt.Sprint("v", value.Load())
				if old.Validator == etag {
					if old.Value != value.Load() {
						t.Errorf("the validator %s came with the value %d", etag, old.Value)
					}
					return larder.Item[int64]{}, fmt.Errorf("304: %w", larder.ErrNotModified)
				}
				sent.Add(1)
				return larder.Item[int64]{Value: value.Load(), Validator: etag}, nil
			},
		})
		fill(t, c, "k")
		for range 3 {
			if err := c.InvalidateTags(ctx, tag); err != nil {
				t.Fatal(err)
			}
			expect(t, c, map[string]int64{"k": 10})
		}
		// Without tracking no generation is remembered, so that no old value can be
		// told from one that a Clear was meant for.
		if in.conn != nil && in.conn.Capabilities().Tracking && (asked.Load() != 4 || sent.Load() != 1) {
			t.Errorf("asked %d times, sent the value %d times, want 4 and 1", asked.Load(), sent.Load())
		}
		value.Store(11)
		if err := c.InvalidateTags(ctx, tag); err != nil {
			t.Fatal(err)
		}
		expect(t, c, map[string]int64{"k": 11})
	},

	"not modified without an old value is an error": func(t *testing.T, in *instance) {
		c := open(t, in, larder.Options[string, int64]{
			LoadItem: func(context.Context, string, larder.Item[int64]) (larder.Item[int64], error) {
				return larder.Item[int64]{}, larder.ErrNotModified
			},
		})
		if v, err := c.Get(testContext(t), "k"); err == nil || errors.Is(err, larder.ErrNotModified) {
			t.Errorf("got %d, %v", v, err)
		}
	},

	"tags that only the value knows": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads atomic.Int64
		c := open(t, in, larder.Options[string, row]{
			TagsOf: func(_ string, r row) []string { return []string{in.tag(r.Owner)} },
			Load: func(context.Context, string) (row, error) {
				return row{N: loads.Add(1), Owner: "ann"}, nil
			},
		})
		get := func() int64 {
			t.Helper()
			r, err := c.Get(ctx, "k")
			if err != nil {
				t.Fatal(err)
			}
			return r.N
		}
		get() // the tag is used for the first time, so this is not stored
		eventually(t, "a load that is stored", func() bool { n := get(); return n == get() })
		before := get()
		if err := c.InvalidateTags(ctx, in.tag("bob")); err != nil {
			t.Fatal(err)
		}
		if n := get(); n != before && in.conn != nil {
			t.Errorf("load %d: another tag dropped the value", n)
		}
		if err := c.InvalidateTags(ctx, in.tag("ann")); err != nil {
			t.Fatal(err)
		}
		if get() == before {
			t.Error("a value outlived its tag")
		}
		if err := c.Set(ctx, "k", row{N: -5, Owner: "eve"}); err != nil {
			t.Fatal(err)
		}
		if n := get(); n != -5 {
			t.Errorf("got %d, want what was set", n)
		}
		if err := larder.InvalidateTags(ctx, in.conn, in.tag("eve")); in.conn != nil && err != nil {
			t.Fatal(err)
		}
		if in.conn != nil && get() == -5 {
			t.Error("a value that was set outlived its tag")
		}
	},

	"a tag that is invalidated while a load learns of it": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads atomic.Int64
		var c *larder.Cache[string, row]
		load := func(ctx context.Context, _ string) (row, error) {
			n := loads.Add(1)
			if n == 3 {
				if err := c.InvalidateTags(ctx, in.tag("ann")); err != nil {
					return row{}, err
				}
			}
			return row{N: n, Owner: "ann"}, nil
		}
		c = open(t, in, larder.Options[string, row]{
			TagsOf: func(_ string, r row) []string { return []string{in.tag(r.Owner)} }, Load: load,
			LoadMany: func(ctx context.Context, keys []string) (map[string]row, error) {
				m := map[string]row{}
				for _, k := range keys {
					r, err := load(ctx, k)
					if err != nil {
						return nil, err
					}
					m[k] = r
				}
				return m, nil
			},
		})
		for _, key := range []string{"a", "b"} {
			if _, err := c.Get(ctx, key); err != nil {
				t.Fatal(err)
			}
		}
		if m, err := c.GetMany(ctx, []string{"c", "d"}); err != nil || len(m) != 2 {
			t.Fatal(m, err)
		}
		for _, key := range []string{"c", "d"} {
			if r, err := c.Get(ctx, key); err != nil || r.N <= 4 {
				t.Errorf("%s: %+v, %v: loaded before its tag was invalidated, and stored", key, r, err)
			}
		}
	},

	"an older revision never replaces a newer one": func(t *testing.T, in *instance) {
		if in.conn == nil {
			return // one process, one source: nothing overtakes
		}
		ctx := testContext(t)
		var version atomic.Int64
		version.Store(5)
		c := open(t, in, larder.Options[string, row]{
			Revision: func(r row) uint64 { return uint64(r.Version) },
			Load:     func(context.Context, string) (row, error) { return row{Version: version.Load()}, nil },
		})
		get := func() int64 {
			t.Helper()
			r, err := c.Get(ctx, "k")
			if err != nil {
				t.Fatal(err)
			}
			return r.Version
		}
		if err := c.Set(ctx, "k", row{Version: 7}); err != nil {
			t.Fatal(err)
		}
		if err := c.Set(ctx, "k", row{Version: 6}); err != nil {
			t.Fatal(err)
		}
		if v := get(); v != 7 {
			t.Errorf("revision %d replaced 7", v)
		}
		if err := c.InvalidateBelow(ctx, "k", 7); err != nil {
			t.Fatal(err)
		}
		if v := get(); v != 7 {
			t.Errorf("revision 7 is not below 7, and was dropped for %d", v)
		}
		if err := c.InvalidateBelow(ctx, "k", 9); err != nil {
			t.Fatal(err)
		}
		for version.Store(8); version.Load() < 9; version.Add(1) { // a replica that lags
			if v := get(); v != 8 {
				t.Errorf("got revision %d", v)
			}
		}
		for range 3 {
			if v := get(); v != 9 {
				t.Errorf("revision %d was stored although 9 exists", v)
			}
		}
		version.Store(10)
		if v := get(); v != 9 {
			t.Errorf("revision 9 was not stored: got %d", v)
		}
	},

	"ClearOver lets each entry end at its time": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{Load: r.load})
		var keys []string
		for i := range 50 {
			keys = append(keys, fmt.Sprint("k", i))
		}
		fill(t, c, keys...)
		if err := c.ClearOver(ctx, 23*time.Hour); err != nil {
			t.Fatal(err)
		}
		for range 2 { // once from Redis, once from the process
			expectLoads(t, c, r, keys, 0, 2)
		}
		if err := c.ClearOver(ctx, 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		r.value.Store(2)
		eventually(t, "the end of the last", func() bool {
			for _, k := range keys {
				if v, err := c.Get(ctx, k); err != nil || v != 2 {
					return false
				}
			}
			return true
		})
		fill(t, c, keys...)
		if err := c.ClearOver(ctx, 23*time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := c.Clear(ctx); err != nil {
			t.Fatal(err)
		}
		expectLoads(t, c, r, keys, 50, 50)
		if err := c.ClearOver(ctx, 0); err == nil {
			t.Error("a ClearOver over no time was accepted")
		}
	},

	"who has waited long enough goes, and the load lands": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		c := open(t, in, larder.Options[string, int64]{Load: g.load, LoadSoftTimeout: 10 * time.Millisecond})
		if v, err := c.Get(ctx, "k"); !errors.Is(err, larder.ErrLoadTimeout) {
			t.Errorf("got %d, %v, want ErrLoadTimeout", v, err)
		}
		if _, err := c.GetMany(ctx, []string{"k"}); !errors.Is(err, larder.ErrLoadTimeout) {
			t.Errorf("GetMany: %v, want ErrLoadTimeout", err)
		}
		g.release <- struct{}{}
		eventually(t, "the load's value", func() bool { v, err := c.Get(ctx, "k"); return err == nil && v == 1 })
		if n := g.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	},
}

// expectLoads gets keys and counts the loads that it takes.
func expectLoads(t *testing.T, c *larder.Cache[string, int64], r *record, keys []string, least, most int64) {
	t.Helper()
	before := r.loads.Load()
	for _, k := range keys {
		if _, err := c.Get(testContext(t), k); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.loads.Load() - before; n < least || n > most {
		t.Errorf("%d loads, want %d to %d", n, least, most)
	}
}

// sharedItemTests need several instances.
var sharedItemTests = map[string]func(*testing.T, *instance){
	"who waits for a load of another process hears that it failed": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		began, proceed := make(chan struct{}), make(chan struct{})
		first := open(t, in, larder.Options[string, int64]{Load: func(context.Context, string) (int64, error) {
			close(began)
			<-proceed
			return 0, errMutate
		}})
		var loads atomic.Int64
		other := open(t, in.another(t), larder.Options[string, int64]{Load: func(context.Context, string) (int64, error) {
			return loads.Add(1), nil
		}})
		failing := getAsync(ctx, first, "k")
		receive(t, "the load", began)
		waiting := getAsync(ctx, other, "k")
		eventually(t, "the other waits", func() bool { return other.Stats().Misses == 1 })
		// It has asked for the lease when the second exchange of its flight is over.
		eventually(t, "the lease is asked for", func() bool { return held(t, in, "k") })
		close(proceed)
		if r := receive(t, "the loader's own Get", failing); !errors.Is(r.err, errMutate) {
			t.Errorf("got %d, %v", r.v, r.err)
		}
		if r := receive(t, "the Get that waited", waiting); r.err != nil && !errors.Is(r.err, larder.ErrLoadFailed) {
			t.Errorf("got %d, %v", r.v, r.err)
		}
		v, err := other.Get(ctx, "k")
		want(t, v, err, 1)
	},
}

// held tells whether anything is there for a key.
func held(t *testing.T, in *instance, key string) bool {
	t.Helper()
	var found bool
	if err := in.conn.Scan(testContext(t), in.id+":"+key, func(keys []string) error {
		found = found || len(keys) > 0
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}
