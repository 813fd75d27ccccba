package cachetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder"
)

var commitTests = map[string]func(*testing.T, *instance){
	"CommitTags drops what carries one of the tags": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		tags := []string{in.tag("a"), in.tag("b")}
		c := open(t, in, larder.Options[string, int64]{
			Load: r.load, Tags: func(key string) []string { return []string{in.tag(key)} },
		})
		fill(t, c, "a", "b", "other")
		err := c.CommitTags(ctx, tags, func(context.Context) error { r.value.Store(2); return nil })
		if err != nil {
			t.Fatal(err)
		}
		for key, v := range map[string]int64{"a": 2, "b": 2, "other": 1} {
			for range 2 {
				got, err := c.Get(ctx, key)
				want(t, got, err, v)
			}
		}
		if n := r.loads.Load(); n != 5 {
			t.Errorf("%d loads, want 5: what is loaded after the commit is stored", n)
		}
	},

	"nothing that is loaded during a commit outlives it": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		c := open(t, in, larder.Options[string, int64]{
			Load: r.load, Tags: func(string) []string { return []string{in.tag("x")} },
			LoadMany: func(ctx context.Context, keys []string) (map[string]int64, error) {
				m := map[string]int64{}
				for _, key := range keys {
					m[key], _ = r.load(ctx, key)
				}
				return m, nil
			},
		})
		fill(t, c, "a")
		read := func(v int64) {
			t.Helper()
			got, err := c.Get(ctx, "a")
			want(t, got, err, v)
			many, err := c.GetMany(ctx, []string{"a", "b"})
			want(t, many["b"], err, v)
		}
		err := c.CommitTags(ctx, []string{in.tag("x")}, func(ctx context.Context) error {
			read(1)
			err := c.Set(ctx, "b", 1) // whatever the caller has read
			r.value.Store(2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		read(2)
	},

	"a commit that fails, or panics, leaves the tags invalidated": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		tags := []string{in.tag("x")}
		c := open(t, in, larder.Options[string, int64]{Load: r.load, Tags: func(string) []string { return tags }})
		fill(t, c, "k")
		err := c.CommitTags(ctx, tags, func(context.Context) error {
			r.value.Store(2) // and its answer got lost
			return errMutate
		})
		if err != errMutate { //nolint:errorlint // as it is
			t.Errorf("got %v, want the commit's own error", err)
		}
		got, err := c.Get(ctx, "k")
		want(t, got, err, 2)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = c.CommitTags(ctx, tags, func(context.Context) error { r.value.Store(3); panic("of the caller") })
		}()
		for range 2 {
			got, err = c.Get(ctx, "k")
			want(t, got, err, 3)
		}
		if n := r.loads.Load(); n != 3 {
			t.Errorf("%d loads, want 3: no barrier is left", n)
		}
	},

	"CommitTags names what is wrong with its tags": func(t *testing.T, in *instance) {
		c := open(t, in, larder.Options[string, int64]{Load: newRecord().load})
		for name, tags := range map[string][]string{
			"an empty tag": {""}, "too many": make([]string, 1001),
		} {
			err := c.CommitTags(testContext(t), tags, func(context.Context) error {
				t.Errorf("%s: committed", name)
				return nil
			})
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		called := false
		if err := c.CommitTags(testContext(t), nil, func(context.Context) error { called = true; return nil }); err != nil || !called {
			t.Errorf("without tags: %v, called: %v", err, called)
		}
	},
}

// sharedCommitTests need several instances.
var sharedCommitTests = map[string]func(*testing.T, *instance){
	"a barrier on tags holds for other processes, until the last writer has gone": func(t *testing.T, in *instance) {
		ctx, r := testContext(t), newRecord()
		tags := []string{in.tag("x")}
		o := larder.Options[string, int64]{Load: r.load, Tags: func(string) []string { return tags }}
		c, writer, other := open(t, in, o), open(t, in.another(t), o), open(t, in.another(t), o)
		fill(t, other, "k")
		loadsEach := func(what string) {
			t.Helper()
			for range 2 {
				before := r.loads.Load()
				got, err := other.Get(ctx, "k")
				want(t, got, err, r.value.Load())
				if r.loads.Load() == before {
					t.Errorf("%s: a value was served from the cache", what)
				}
			}
		}
		inner := make(chan error)
		err := c.CommitTags(ctx, tags, func(ctx context.Context) error {
			begun, done := make(chan struct{}), make(chan struct{})
			go func() {
				inner <- writer.CommitTags(ctx, tags, func(context.Context) error { close(begun); <-done; return nil })
			}()
			<-begun
			eventually(t, "the push of the barrier", func() bool {
				before := r.loads.Load()
				_, err := other.Get(ctx, "k")
				return err == nil && r.loads.Load() > before
			})
			r.value.Store(2)
			loadsEach("two write")
			close(done)
			err := <-inner
			loadsEach("one writes")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, other, "k")
		before := r.loads.Load()
		got, err := other.Get(ctx, "k")
		want(t, got, err, 2)
		if r.loads.Load() != before {
			t.Error("the barrier is still there")
		}
	},

	"a load overtaken by another process' commit never lands": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		tags := []string{in.tag("x")}
		o := larder.Options[string, int64]{Load: g.load, Tags: func(string) []string { return tags }}
		c, other := open(t, in, o), open(t, in.another(t), o)
		early := getAsync(ctx, other, "key")
		receive(t, "the first load", g.started)
		err := c.CommitTags(ctx, tags, func(context.Context) error {
			g.version.Store(2)
			g.release <- struct{}{}
			if r := receive(t, "the early Get", early); r.err != nil {
				return r.err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range cap(g.release) / 2 { // no load has to wait
			g.release <- struct{}{}
		}
		// The generation that the other process knows is behind until it hears of the new
		// one, or for StalenessBound.
		eventually(t, "the new value", func() bool {
			v, err := other.Get(ctx, "key")
			return err == nil && v == 2
		})
	},
}
