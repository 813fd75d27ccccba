package cachetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// sharedTests need a server, and several instances over it.
var sharedTests = map[string]func(*testing.T, *instance){
	"a thousand callers over four connections load once": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var loads atomic.Int64
		begin, gate := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		var caches []*larder.Cache[string, int64]
		for range 4 {
			caches = append(caches, open(t, in.another(t), larder.Options[string, int64]{
				Load: func(context.Context, string) (int64, error) {
					loads.Add(1)
					<-gate
					return 42, nil
				},
			}))
		}
		for i := range 1000 {
			wg.Go(func() {
				<-begin
				if v, err := caches[i%4].Get(ctx, "k"); err != nil || v != 42 {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		close(begin)
		eventually(t, "all have asked", func() bool {
			n := uint64(0)
			for _, c := range caches {
				n += c.Stats().Misses
			}
			return n == 1000
		})
		close(gate)
		wg.Wait()
		if n := loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	},

	"lease, delete, lease again by the same client: the first load is not stored": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		g := newGate()
		// Two caches over one connection: the client is the same, the flights are not.
		first := open(t, in, larder.Options[string, int64]{Load: g.load})
		second := open(t, in, larder.Options[string, int64]{Load: g.load})
		early := getAsync(ctx, first, "k")
		receive(t, "the first load", g.started)
		g.version.Store(2)
		if err := second.Invalidate(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		later := getAsync(ctx, second, "k")
		if v := receive(t, "the second load", g.started); v != 2 {
			t.Fatalf("the second load read version %d", v)
		}
		g.release <- struct{}{} // one of the two ends …
		g.release <- struct{}{} // … and the other
		receive(t, "the early Get", early)
		if r := receive(t, "the later Get", later); r.err != nil || r.v != 2 {
			t.Errorf("the later Get returned %d, %v", r.v, r.err)
		}
		for _, c := range []*larder.Cache[string, int64]{first, second} {
			v, err := c.Get(ctx, "k")
			want(t, v, err, 2)
		}
		if refused := first.Stats().FillsRefused; refused != 1 {
			t.Errorf("%d fills refused, want 1", refused)
		}
	},

	"a loaded value is in L1 at once: its own fill is not pushed back": func(t *testing.T, in *instance) {
		if in.b.NoL1 {
			return
		}
		ctx := testContext(t)
		var c *larder.Cache[string, int64]
		if _, tracks := in.conn.Tracker(); !tracks {
			c = open(t, in, larder.Options[string, int64]{Load: new(counter).load})
			eventually(t, "L1 is served once the backplane is heard of", func() bool {
				v, err := c.Get(ctx, "k")
				want(t, v, err, 1)
				return c.Stats().L1Hits > 0
			})
			return
		}
		c = open(t, in, larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) {
				// The Get's read made the connection track the key; the lease's
				// write is pushed to it.
				eventually(t, "the push of the lease", func() bool { return c.Stats().Pushes == 1 })
				return 1, nil
			},
		})
		for range 3 {
			v, err := c.Get(ctx, "k")
			want(t, v, err, 1)
		}
		if s := c.Stats(); s.L1Hits != 2 || s.Pushes != 1 {
			t.Errorf("stats: %+v", s)
		}
	},

	"another instance's values go with the invalidation": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var version atomic.Int64
		o := larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) { return version.Load(), nil },
			Tags: func(string) []string { return []string{in.tag("t")} },
		}
		a, b := open(t, in, o), open(t, in.another(t), o)
		by := invalidations(in)
		for i, name := range []string{"key", "tag", "namespace", "prefix", "tag through the connection", "key"} {
			version.Store(int64(i))
			if i > 0 {
				if err := by[name](ctx, a); err != nil {
					t.Fatal(err)
				}
			}
			v, err := a.Get(ctx, "key")
			want(t, v, err, int64(i))
			eventually(t, "the other instance sees it by "+name, func() bool {
				v, err := b.Get(ctx, "key")
				return err == nil && v == int64(i)
			})
		}
	},

	"what one instance loads the other finds": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		a, b := open(t, in, larder.Options[string, int64]{Load: src.load}), open(t, in.another(t), larder.Options[string, int64]{Load: src.load})
		for range 2 {
			for _, c := range []*larder.Cache[string, int64]{a, b} {
				v, err := c.Get(ctx, "k")
				want(t, v, err, 1)
			}
		}
		if err := b.Set(ctx, "k", 9); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the other's Set is seen", func() bool {
			v, err := a.Get(ctx, "k")
			return err == nil && v == 9
		})
	},

	"unreadable bytes are a miss and a counter": func(t *testing.T, in *instance) {
		for i, raw := range []string{
			"", "garbage", "\x00", fmt.Sprintf("%0200d", 0),
			"L\x01\x00\x00" + fmt.Sprintf("%0200d", 7), // a good beginning
			"L\x01\xff\x00" + fmt.Sprintf("%0200d", 7), // flags of the future
		} {
			ctx, src := testContext(t), new(counter)
			c := open(t, in, larder.Options[int, int64]{
				Namespace: fmt.Sprint("corrupt", i),
				Load:      func(ctx context.Context, _ int) (int64, error) { return src.load(ctx, "") },
			})
			rk := fmt.Sprintf("%scorrupt%d:5", in.id, i)
			if v, err := in.conn.Do(ctx, conn.Key("SET", rk, raw, "PX", "60000")); err != nil || v.Str != "OK" {
				t.Fatal(v, err)
			}
			for range 2 {
				v, err := c.Get(ctx, 5)
				want(t, v, err, 1)
			}
			if s := c.Stats(); raw != "" && s.Corrupt+s.RejectedSchema != 1 {
				t.Errorf("%q: stats %+v", raw, s)
			}
		}
	},

	"a value of another type is a miss": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		type v1 struct{ Name string }
		type v2 struct{ Name, Mail string }
		old := open(t, in, larder.Options[string, v1]{Load: func(context.Context, string) (v1, error) { return v1{"a"}, nil }})
		if _, err := old.Get(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		c := open(t, in, larder.Options[string, v2]{Load: func(context.Context, string) (v2, error) { return v2{"a", "m"}, nil }})
		for range 2 {
			got, err := c.Get(ctx, "k")
			want(t, got, err, v2{"a", "m"})
		}
		if s := c.Stats(); s.RejectedSchema != 1 || s.Loads != 1 {
			t.Errorf("stats: %+v", s)
		}
	},

	"lost generations are misses": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		c := open(t, in, larder.Options[string, int64]{
			Load: src.load, Tags: func(string) []string { return []string{in.tag("t")} },
		})
		fill(t, c, "k")
		for i, key := range []string{"~tag:" + in.tag("t"), "~ns:" + in.id} {
			if v, err := in.conn.Do(ctx, conn.Key("DEL", key)); err != nil || v.Int != 1 {
				t.Fatalf("DEL %s: %v, %v", key, v.Int, err)
			}
			eventually(t, "a miss", func() bool {
				v, err := c.Get(ctx, "k")
				return err == nil && v == int64(i+2)
			})
		}
	},

	"the cache of a dead loader is taken over after its lease": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		dead := in.another(t)
		hang := make(chan struct{})
		defer close(hang)
		started := make(chan struct{})
		a := open(t, dead, larder.Options[string, int64]{
			Lease: 150 * time.Millisecond,
			Load:  func(context.Context, string) (int64, error) { close(started); <-hang; return 1, nil },
		})
		_ = getAsync(ctx, a, "k")
		receive(t, "the first load", started)
		if err := dead.conn.Close(); err != nil { // no more renewals
			t.Fatal(err)
		}
		b := open(t, in, larder.Options[string, int64]{Load: func(context.Context, string) (int64, error) { return 2, nil }})
		v, err := b.Get(ctx, "k")
		want(t, v, err, 2)
	},

	"the source answers where the server does not": func(t *testing.T, in *instance) {
		ctx, src := testContext(t), new(counter)
		gone := in.another(t)
		c := open(t, gone, larder.Options[string, int64]{
			Load: src.load, Tags: func(string) []string { return []string{in.tag("t")} },
		})
		fill(t, c, "k")
		if err := gone.conn.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "an answer of the source", func() bool {
			v, err := c.Get(ctx, "k")
			if err != nil {
				t.Fatal(err)
			}
			return v > 1
		})
		if err := c.Invalidate(ctx, "k"); err == nil {
			t.Error("an invalidation that reached nobody returned nil")
		}
		if err := c.Set(ctx, "k", 5); err == nil {
			t.Error("a Set that reached nobody returned nil")
		}
		if c.Stats().L2Errors == 0 {
			t.Error("nothing was counted")
		}
	},
}
