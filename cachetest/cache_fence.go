package cachetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
)

// gate is a source whose loads wait until they are let through. The value is the
// source's version at the start of the load.
type gate struct {
	version atomic.Int64
	loads   atomic.Int64
	started chan int64    // the version that a load has read
	release chan struct{} // lets one load end
}

func newGate() *gate {
	g := &gate{started: make(chan int64, 64), release: make(chan struct{}, 64)}
	g.version.Store(1)
	return g
}

func (g *gate) load(ctx context.Context, _ string) (int64, error) {
	g.loads.Add(1)
	v := g.version.Load()
	g.started <- v
	select {
	case <-g.release:
		return v, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// got is what a Get in the background returned.
type got struct {
	v   int64
	err error
}

func getAsync(ctx context.Context, c *larder.Cache[string, int64], key string) <-chan got {
	ch := make(chan got, 1)
	go func() {
		v, err := c.Get(ctx, key)
		ch <- got{v, err}
	}()
	return ch
}

// invalidations are the ways to say that a key's value is old.
func invalidations(in *instance) map[string]func(context.Context, *larder.Cache[string, int64]) error {
	return map[string]func(context.Context, *larder.Cache[string, int64]) error{
		"key": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.Invalidate(ctx, "key") },
		"tag": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			return c.InvalidateTags(ctx, in.tag("t"))
		},
		"commit": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			return c.CommitTags(ctx, []string{in.tag("t")}, func(context.Context) error { return nil })
		},
		"namespace": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.Clear(ctx) },
		"write through": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			return c.WriteThrough(ctx, "key", func(context.Context) (int64, error) { return 2, nil })
		},
		"prefix": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.InvalidatePrefix(ctx, "ke") },
		"tag through the connection": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			if in.conn == nil {
				return c.InvalidateTags(ctx, in.tag("t"))
			}
			return larder.InvalidateTags(ctx, in.conn, in.tag("t"))
		},
	}
}

var fenceTests = map[string]func(*testing.T, *instance){
	"a load overtaken by an invalidation never lands, nor answers a later Get": func(t *testing.T, in *instance) {
		for name, invalidate := range invalidations(in) {
			t.Run(name, func(t *testing.T) {
				ctx, g := testContext(t), newGate()
				c := open(t, in, larder.Options[string, int64]{
					Namespace: "by-" + name[:3] + name[len(name)-1:], Load: g.load,
					Tags: func(string) []string { return []string{in.tag("t")} },
				})
				early := getAsync(ctx, c, "key")
				if v := receive(t, "the first load", g.started); v != 1 {
					t.Fatalf("the load read version %d", v)
				}
				g.version.Store(2)
				if err := invalidate(ctx, c); err != nil {
					t.Fatal(err)
				}
				late := getAsync(ctx, c, "key")
				g.release <- struct{}{} // the first load ends
				if r := receive(t, "the early Get", early); r.err != nil {
					t.Errorf("the early Get: %v", r.err)
				}
				g.release <- struct{}{} // whatever load the late Get needs
				if r := receive(t, "the late Get", late); r.err != nil || r.v != 2 {
					t.Errorf("the late Get returned %d, %v: version 1 was invalidated before it began", r.v, r.err)
				}
				for range 3 {
					v, err := c.Get(ctx, "key")
					want(t, v, err, 2)
				}
				// The early one, and one behind the invalidation unless that brought a value.
				if n := g.loads.Load(); n > 2 {
					t.Errorf("%d loads, want 2 at most", n)
				}
			})
		}
	},

	"a load overtaken by a Set never lands": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		c := open(t, in, larder.Options[string, int64]{Load: g.load})
		early := getAsync(ctx, c, "key")
		receive(t, "the first load", g.started)
		if err := c.Set(ctx, "key", 20); err != nil {
			t.Fatal(err)
		}
		g.release <- struct{}{}
		receive(t, "the early Get", early)
		for range 3 {
			v, err := c.Get(ctx, "key")
			want(t, v, err, 20)
		}
	},

	"callers that come while a load runs share it": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		c := open(t, in, larder.Options[string, int64]{Load: g.load})
		first := getAsync(ctx, c, "key")
		receive(t, "the load", g.started)
		var others []<-chan got
		for range 50 {
			others = append(others, getAsync(ctx, c, "key"))
		}
		eventually(t, "the others wait", func() bool { return c.Stats().Misses == 51 })
		g.release <- struct{}{}
		for _, ch := range append(others, first) {
			if r := receive(t, "a caller", ch); r.err != nil || r.v != 1 {
				t.Errorf("got %d, %v", r.v, r.err)
			}
		}
		if n := g.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	},

	"one load runs and one waits, however many invalidations come": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		c := open(t, in, larder.Options[string, int64]{Load: g.load})
		waiting := []<-chan got{getAsync(ctx, c, "key")}
		receive(t, "the first load", g.started)
		for i := range 5 {
			g.version.Add(1)
			if err := c.Invalidate(ctx, "key"); err != nil {
				t.Fatal(err)
			}
			waiting = append(waiting, getAsync(ctx, c, "key"))
			eventually(t, "the Get waits", func() bool { return c.Stats().Misses == uint64(i+2) })
		}
		if n := g.loads.Load(); n != 1 {
			t.Errorf("%d loads run at once, want 1", n)
		}
		for range waiting {
			g.release <- struct{}{}
		}
		for i, ch := range waiting {
			if r := receive(t, "a Get", ch); r.err != nil || r.v < int64(i+1) {
				t.Errorf("Get %d returned version %d, %v", i, r.v, r.err)
			}
		}
		if n := g.loads.Load(); n != 2 {
			t.Errorf("%d loads, want 2", n)
		}
	},

	"no stale value under load": func(t *testing.T, in *instance) {
		ctx := testContext(t)
		var version atomic.Int64
		c := open(t, in, larder.Options[string, int64]{
			Load: func(context.Context, string) (int64, error) { return version.Load(), nil },
			Tags: func(string) []string { return []string{in.tag("t")} },
		})
		by := invalidations(in)
		var floor atomic.Int64 // every Get that begins now must see at least this
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					least := floor.Load()
					if v, err := c.Get(ctx, "key"); err != nil || v < least {
						t.Errorf("got version %d, %v, where %d was invalidated", v, err, least)
						return
					}
				}
			})
		}
		for i := range 60 {
			v := version.Add(1)
			for _, name := range []string{"key", "tag", "namespace", "tag through the connection"}[i%4 : i%4+1] {
				if err := by[name](ctx, c); err != nil {
					t.Fatal(err)
				}
			}
			floor.Store(v)
			eventually(t, "a read", func() bool { return c.Stats().Loads > uint64(i) })
		}
		close(done)
		wg.Wait()
	},

	"the lease is renewed while a slow load runs": func(t *testing.T, in *instance) {
		ctx, g := testContext(t), newGate()
		// The lease is long enough for a renewal that a loaded machine held up for
		// two thirds of it; where one is lost all the same the fill is refused, and
		// rightly.
		c := open(t, in, larder.Options[string, int64]{Load: g.load, Lease: 4 * time.Second})
		first := getAsync(ctx, c, "key")
		receive(t, "the load", g.started)
		overdue := time.After(5500 * time.Millisecond)
		second := getAsync(ctx, c, "key")
		receive(t, "more than a lease", overdue)
		g.release <- struct{}{}
		for _, ch := range []<-chan got{first, second} {
			if r := receive(t, "a Get", ch); r.err != nil || r.v != 1 {
				t.Errorf("got %d, %v", r.v, r.err)
			}
		}
		v, err := c.Get(ctx, "key")
		want(t, v, err, 1)
		if s := c.Stats(); s.Loads != 1 || s.FillsRefused != 0 {
			t.Errorf("stats: %+v", s)
		}
	},
}
