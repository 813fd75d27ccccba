package cachetest

import (
	"context"
	"strings"
	"testing"

	"github.com/larder-go/larder"
)

var boundTests = map[string]func(*testing.T, *instance){
	"a value over the limit is returned, not stored": func(t *testing.T, in *instance) {
		ctx, loads := testContext(t), 0
		c := open(t, in, larder.Options[int, string]{
			MaxValueBytes: 100,
			Load:          func(_ context.Context, n int) (string, error) { loads++; return strings.Repeat("x", n), nil },
		})
		for range 2 {
			got, err := c.Get(ctx, 99)
			want(t, got, err, strings.Repeat("x", 99))
		}
		if s := c.Stats(); s.Oversize != 2 || loads != 2 {
			t.Errorf("%d loads, stats %+v; 101 encoded bytes are over 100", loads, s)
		}
		if err := c.Set(ctx, 10, "small"); err != nil {
			t.Fatal(err)
		}
		if err := c.Set(ctx, 10, strings.Repeat("y", 200)); err != nil {
			t.Fatalf("Set of a value over the limit: %v", err)
		}
		got, err := c.Get(ctx, 10)
		want(t, got, err, strings.Repeat("x", 10))
	},

	"a key over the limit is an error": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{Load: src.load, MaxKeyBytes: 10})
		fill(t, c, strings.Repeat("k", 10))
		long := "secret-" + strings.Repeat("k", 10)
		_, getErr := c.Get(ctx, long)
		_, manyErr := c.GetMany(ctx, []string{"k", long})
		for name, err := range map[string]error{
			"Get": getErr, "GetMany": manyErr, "Set": c.Set(ctx, long, 1), "Invalidate": c.Invalidate(ctx, "k", long),
		} {
			if err == nil || !strings.Contains(err.Error(), "MaxKeyBytes") {
				t.Errorf("%s: %v, want an error that names MaxKeyBytes", name, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s prints the key: %v", name, err)
			}
		}
	},

	"bad tags are errors": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var tags []string
		c := open(t, in, larder.Options[string, int64]{
			Load: new(counter).load, Tags: func(string) []string { return tags },
		})
		for name, bad := range map[string][]string{
			"empty": {""}, "long": {strings.Repeat("t", 201)}, "many": make([]string, 33),
		} {
			tags = bad
			if _, err := c.Get(ctx, name); err == nil || !strings.Contains(err.Error(), "tag") {
				t.Errorf("%s: Get: %v", name, err)
			}
			if name != "many" {
				if err := c.InvalidateTags(ctx, bad...); err == nil {
					t.Errorf("%s: InvalidateTags accepted it", name)
				}
			}
		}
		tags = nil
		fill(t, c, "fine")
	},

	"L1 stays within its bound": func(t *testing.T, in *instance) {
		if in.b.NoL1 {
			return
		}
		ctx := testContext(t)
		const bound = 64 << 10
		c := open(t, in, larder.Options[int, string]{
			L1MaxBytes: bound,
			Load:       func(context.Context, int) (string, error) { return strings.Repeat("x", 1000), nil },
		})
		for i := range 600 {
			if _, err := c.Get(ctx, i/2); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "L1 within its bound", func() bool { return c.Stats().L1Bytes <= bound })
		if s := c.Stats(); s.L1Entries == 0 {
			t.Errorf("nothing is held: %+v", s)
		}
	},
}
