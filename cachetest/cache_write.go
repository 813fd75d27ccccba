package cachetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder"
)

var writeTests = map[string]func(*testing.T, *instance){
	"Set is seen by the next Get": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load})
		for _, v := range []int64{100, 0, 200} {
			if err := c.Set(ctx, "k", v); err != nil {
				t.Fatal(err)
			}
			got, err := c.Get(ctx, "k")
			want(t, got, err, v)
		}
		if n := src.n.Load(); n != 0 {
			t.Errorf("%d loads, want none", n)
		}
	},

	"Set works without a loader": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		c := open(t, in, larder.Options[string, int64]{})
		if _, err := c.Get(ctx, "k"); err == nil {
			t.Error("a Get that nothing can answer succeeded")
		}
		if err := c.Set(ctx, "k", 5); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 5)
	},

	"GetWith uses the loader of the call": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		c := open(t, in, larder.Options[string, int64]{Load: new(counter).load})
		load := func(context.Context, string) (int64, error) { return 77, nil }
		for range 2 {
			got, err := c.GetWith(ctx, "k", load)
			want(t, got, err, 77)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 77)
	},

	"Invalidate drops its keys and no others": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load})
		fill(t, c, "a", "b", "c") // 1, 2, 3
		if err := c.Invalidate(ctx, "a", "c"); err != nil {
			t.Fatal(err)
		}
		fill(t, c, "a", "b", "c")
		expect(t, c, map[string]int64{"a": 4, "b": 2, "c": 5})
		if err := c.Invalidate(ctx); err != nil {
			t.Errorf("invalidating nothing: %v", err)
		}
	},

	"InvalidateTags drops what carries one of the tags": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{
			Load: src.load,
			Tags: func(key string) []string { return []string{in.tag("all"), in.tag(key[:1])} },
		})
		fill(t, c, "a1", "a2", "b1", "c1") // 1, 2, 3, 4
		if err := c.InvalidateTags(ctx, in.tag("a"), in.tag("c"), in.tag("unused")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, map[string]int64{"b1": 3})
		fill(t, c, "a1", "a2", "c1")
		expect(t, c, map[string]int64{"a1": 5, "a2": 6, "c1": 7, "b1": 3})
		if err := c.InvalidateTags(ctx, in.tag("all")); err != nil {
			t.Fatal(err)
		}
		fill(t, c, "b1")
		expect(t, c, map[string]int64{"b1": 8})
	},

	"Set values carry their tags": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{
			Load: src.load, Tags: func(string) []string { return []string{in.tag("x")} },
		})
		if err := c.Set(ctx, "k", 50); err != nil {
			t.Fatal(err)
		}
		expect(t, c, map[string]int64{"k": 50})
		if err := c.InvalidateTags(ctx, in.tag("x")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, map[string]int64{"k": 1})
	},

	"Clear drops the namespace and no other": func(t *testing.T, in *instance) {
		ctx, src, other := testContext(t), new(counter), new(counter)
		c := open(t, in, larder.Options[string, int64]{Namespace: "one", Load: src.load})
		d := open(t, in, larder.Options[string, int64]{Namespace: "two", Load: other.load})
		fill(t, c, "a", "b")
		fill(t, d, "a")
		if err := c.Clear(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, d, map[string]int64{"a": 1})
		expect(t, c, map[string]int64{"a": 3})
	},

	"InvalidatePrefix drops what begins with it": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load})
		fill(t, c, "x*1", "x*2", "xy1", "z") // 1, 2, 3, 4
		if err := c.InvalidatePrefix(ctx, "x*"); err != nil {
			t.Fatal(err)
		}
		expect(t, c, map[string]int64{"xy1": 3, "z": 4})
		fill(t, c, "x*1", "x*2")
		expect(t, c, map[string]int64{"x*1": 5, "x*2": 6})
		if err := c.InvalidatePrefix(ctx, ""); err == nil {
			t.Error("the empty prefix was accepted")
		}
	},

	"a value that cannot be encoded is returned, not stored": func(t *testing.T, in *instance) {
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[string, func()]{
			Load: func(context.Context, string) (func(), error) { loads++; return func() {}, nil },
		})
		for range 2 {
			if f, err := c.Get(ctx, "k"); err != nil || f == nil {
				t.Errorf("got %v, %v", f != nil, err)
			}
		}
		if loads != 2 {
			t.Errorf("%d loads, want 2", loads)
		}
	},

	"a closed cache says so": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		c := open(t, in, larder.Options[string, int64]{Load: new(counter).load})
		fill(t, c, "k")
		for range 2 {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Get(ctx, "k"); err != larder.ErrClosed { //nolint:errorlint // identity is the promise
			t.Errorf("Get: %v", err)
		}
		if err := c.Set(ctx, "k", 1); err != larder.ErrClosed { //nolint:errorlint // identity is the promise
			t.Errorf("Set: %v", err)
		}
	},
}

// fill gets the keys one after the other.
func fill(t *testing.T, c *larder.Cache[string, int64], keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := c.Get(testContext(t), key); err != nil {
			t.Fatal(err)
		}
	}
}

// expect gets keys and compares.
func expect(t *testing.T, c *larder.Cache[string, int64], values map[string]int64) {
	t.Helper()
	for key, v := range values {
		if got, err := c.Get(testContext(t), key); err != nil || got != v {
			t.Errorf("%q is %v, %v, want %v", key, got, err, v)
		}
	}
}
