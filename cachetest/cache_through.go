package cachetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder"
)

// record is a source with one row, whose loads are counted.
type record struct {
	value, loads atomic.Int64
}

// newRecord makes a row with the value 1.
func newRecord() *record {
	r := &record{}
	r.value.Store(1)
	return r
}

func (r *record) load(context.Context, string) (int64, error) {
	r.loads.Add(1)
	return r.value.Load(), nil
}

// write is the mutation of a WriteThrough.
func (r *record) write(v int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) {
		r.value.Store(v)
		return v, nil
	}
}

var errMutate = errors.New("the source refused")

var throughTests = map[string]func(*testing.T, *instance){
	"WriteThrough stores what it wrote": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{
			Load: r.load, Tags: func(string) []string { return []string{in.tag("x")} },
		})
		fill(t, c, "k")
		for v := range int64(3) {
			if err := c.WriteThrough(ctx, "k", r.write(v)); err != nil {
				t.Fatal(err)
			}
			got, err := c.Get(ctx, "k")
			want(t, got, err, v)
		}
		if n := r.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1: a value that was written alone is stored", n)
		}
		r.value.Store(50)
		if err := c.InvalidateTags(ctx, in.tag("x")); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 50)
	},

	"while the source is written readers load, and nothing of it is stored": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{Load: r.load})
		fill(t, c, "k")
		err := c.WriteThrough(ctx, "k", func(ctx context.Context) (int64, error) {
			for range 3 {
				got, err := c.Get(ctx, "k")
				want(t, got, err, 1)
			}
			r.value.Store(2)
			got, err := c.Get(ctx, "k")
			want(t, got, err, 2)
			return 2, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := r.loads.Load(); n != 5 {
			t.Errorf("%d loads, want 5: one before, four behind the barrier", n)
		}
		before := r.loads.Load()
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
		if n := r.loads.Load(); n != before {
			t.Error("the written value was not stored")
		}
	},

	"a load overtaken by WriteThrough never lands": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		c := open(t, in, larder.Options[string, int64]{Load: g.load})
		early := getAsync(ctx, c, "key")
		receive(t, "the first load", g.started)
		err := c.WriteThrough(ctx, "key", func(context.Context) (int64, error) {
			g.version.Store(2)
			g.release <- struct{}{}
			receive(t, "the early Get", early)
			return 2, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			v, err := c.Get(ctx, "key")
			want(t, v, err, 2)
		}
	},

	"where anything else changes the key meanwhile, the written value is not stored": func(t *testing.T, in *instance) {
		r := newRecord()
		tag := in.tag("x")
		c := open(t, in, larder.Options[string, int64]{Load: r.load, Tags: func(string) []string { return []string{tag} }})
		for name, other := range map[string]func(context.Context) error{
			"WriteThrough":     func(ctx context.Context) error { return c.WriteThrough(ctx, "k", r.write(7)) },
			"Set":              func(ctx context.Context) error { return c.Set(ctx, "k", 7) },
			"Invalidate":       func(ctx context.Context) error { return c.Invalidate(ctx, "k") },
			"InvalidateTags":   func(ctx context.Context) error { return c.InvalidateTags(ctx, tag) },
			"InvalidatePrefix": func(ctx context.Context) error { return c.InvalidatePrefix(ctx, "k") },
			"Clear":            c.Clear,
		} {
			ctx := testContext(t)
			err := c.WriteThrough(ctx, "k", func(ctx context.Context) (int64, error) {
				r.value.Store(5)
				err := other(ctx)
				r.value.Store(9) // whoever comes last, only the source knows
				return 5, err
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := c.Get(ctx, "k"); err != nil || got != 9 {
				t.Errorf("%s: got %d, %v, want 9", name, got, err)
			}
		}
	},

	"a mutation that fails, or panics, leaves the key invalidated": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{Load: r.load})
		fill(t, c, "k")
		err := c.WriteThrough(ctx, "k", func(context.Context) (int64, error) {
			r.value.Store(2) // and its answer got lost
			return 0, errMutate
		})
		if err != errMutate { //nolint:errorlint // as it is
			t.Errorf("got %v, want the mutation's own error", err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = c.WriteThrough(ctx, "k", func(context.Context) (int64, error) {
				r.value.Store(3)
				panic("of the caller")
			})
		}()
		for range 2 {
			got, err = c.Get(ctx, "k")
			want(t, got, err, 3)
		}
		if n := r.loads.Load(); n != 3 {
			t.Errorf("%d loads, want 3: no barrier is left", n)
		}
	},

	"a written value that cannot be stored leaves the key invalidated": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{Load: r.load, MaxValueBytes: 1})
		fill(t, c, "k")
		if err := c.WriteThrough(ctx, "k", r.write(1000)); err != nil {
			t.Fatal(err)
		}
		r.value.Store(3)
		got, err := c.Get(ctx, "k")
		want(t, got, err, 3)
	},
}

// sharedThroughTests need several instances.
var sharedThroughTests = map[string]func(*testing.T, *instance){
	"a barrier holds for other processes": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		o := larder.Options[string, int64]{Load: r.load}
		c, other := open(t, in, o), open(t, in.another(t), o)
		fill(t, other, "k")
		err := c.WriteThrough(ctx, "k", func(ctx context.Context) (int64, error) {
			eventually(t, "the push of the barrier", func() bool { return in.b.NoL1 || other.Stats().L1Entries == 0 })
			got, err := other.Get(ctx, "k")
			want(t, got, err, 1)
			r.value.Store(2)
			return 2, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		loads := r.loads.Load()
		for _, by := range []*larder.Cache[string, int64]{c, other} {
			got, err := by.Get(ctx, "k")
			want(t, got, err, 2)
		}
		if n := r.loads.Load(); n != loads {
			t.Error("the written value was not there for both")
		}
	},

	"two processes that write at once leave no value": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		o := larder.Options[string, int64]{Load: r.load}
		c, other := open(t, in, o), open(t, in.another(t), o)
		done := make(chan error, 1)
		began, proceed := make(chan struct{}), make(chan struct{})
		go func() {
			done <- other.WriteThrough(ctx, "k", func(context.Context) (int64, error) {
				close(began)
				<-proceed
				r.value.Store(3)
				return 3, nil
			})
		}()
		receive(t, "the other's mutation", began)
		if err := c.WriteThrough(ctx, "k", r.write(2)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, "k") // the other one's barrier still stands
		want(t, got, err, 2)
		close(proceed)
		if err := receive(t, "the other's WriteThrough", done); err != nil {
			t.Fatal(err)
		}
		r.value.Store(4)
		got, err = c.Get(ctx, "k")
		want(t, got, err, 4)
	},
}
