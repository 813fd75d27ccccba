package larder_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/model"
)

// A change is a way to write that the interleavings are run with.
type change func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error

var changes = map[string]change{
	"Invalidate": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		commit()
		return c.Invalidate(ctx, "k")
	},
	"InvalidateBelow": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		return c.InvalidateBelow(ctx, "k", uint64(commit()))
	},
	"InvalidateTags": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		commit()
		return c.InvalidateTags(ctx, "tag")
	},
	"CommitTags": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		return c.CommitTags(ctx, []string{"tag"}, func(context.Context) error { commit(); return nil })
	},
	"Clear": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		commit()
		return c.Clear(ctx)
	},
	"Set": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		v := commit()
		return c.Set(ctx, "k", revisioned{v, v})
	},
	"WriteThrough": func(ctx context.Context, c *larder.Cache[string, revisioned], commit func() int64) error {
		return c.WriteThrough(ctx, "k", func(context.Context) (revisioned, error) { v := commit(); return revisioned{v, v}, nil })
	},
}

// interleaved runs three processes step by step: two read, each so many times, and the
// third changes the value, each time in another of the ways that it is given, and reads
// after each. Nobody may see an older version than one whose invalidation had returned
// before the Get began: the pushes are there by the next step. It returns what went wrong,
// with what led to it, and the number of steps.
func interleaved(t *testing.T, redis *model.Model, choose func(int) int, reads int, ways ...change) (wrong []string, steps int) {
	t.Helper()
	var mu sync.Mutex // protects wrong
	fail := func(s *schedule, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, fmt.Sprintf(format, args...)+" after:\n"+s.history())
	}
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{choose: choose}
		var version, floor atomic.Int64
		version.Store(1)
		names := []string{"A", "B", "C"}
		var hooks []*hook
		defer func() { // the caches are closed without steps
			for _, h := range hooks {
				h.on(nil)
			}
		}()
		var caches []*larder.Cache[string, revisioned]
		for i, name := range names {
			h := hookOn(t, redis.Connect())
			o := larder.Options[string, revisioned]{
				Tags:     func(string) []string { return []string{"tag"} },
				Revision: revisionOf,
				Load: func(_ context.Context, key string) (revisioned, error) {
					if key == "k" {
						s.step(name, "load")
					}
					v := version.Load()
					return revisioned{v, v}, nil
				},
			}
			if i == 1 {
				o.L1MaxBytes = -1
			}
			c := newCache(t, h, o)
			if _, err := c.Get(t.Context(), "warm"); err != nil { // the generations are known
				t.Fatal(err)
			}
			synctest.Wait()
			s.stepped(h, name)
			hooks = append(hooks, h)
			caches = append(caches, c)
		}
		get := func(i int) {
			least := floor.Load()
			v, err := caches[i].Get(t.Context(), "k")
			s.note(names[i] + ": Get returned")
			if err != nil || v.N < least {
				fail(s, "%s: Get returned version %d, %v; %d was invalidated before it began", names[i], v.N, err, least-1)
			}
		}
		reader := func(i int) func() {
			return func() {
				for range reads {
					get(i)
				}
			}
		}
		steps = s.run(t, reader(0), reader(1), func() {
			for _, way := range ways {
				var made int64
				err := way(t.Context(), caches[2], func() int64 {
					s.step("C", "commit")
					made = version.Add(1)
					return made
				})
				if err != nil {
					fail(s, "%v", err)
				}
				floor.Store(made)
				if reads > 1 {
					get(2)
				}
			}
		})
		// At rest all have the last version, and everything expires.
		s.choose = func(int) int { return 0 }
		s.run(t, func() { get(0); get(1); get(2) })
		for _, key := range redis.Keys() {
			if _, ttl := redis.Raw(key); ttl < 0 {
				fail(s, "%s has no expiry", key)
			}
		}
	})
	return wrong, steps
}

// budget is a number of runs; the long form of the tests has more.
func budget(short, long int) int {
	switch {
	case testing.Short():
		return short / 10
	case os.Getenv("LARDER_TORTURE") != "":
		return long
	}
	return short
}

// Two Gets and a write of every kind: the first orders of their steps, depth first, in
// the long form all of them or very many, and some that are drawn.
func TestEveryInterleaving(t *testing.T) {
	for name, way := range changes {
		t.Run(name, func(t *testing.T) {
			longest := 0
			try := func(choose func(int) int) {
				if t.Failed() {
					return
				}
				wrong, steps := interleaved(t, model.New(1), choose, 1, way)
				for _, w := range wrong {
					t.Error(w)
				}
				longest = max(longest, steps)
			}
			runs, all := explore(budget(200, 200_000), try)
			if !all {
				sample(300, 1, try)
			}
			t.Logf("%d interleavings of up to %d steps, all: %t", runs, longest, all)
		})
	}
}

// Three actors of eight steps and more each, in orders that are drawn: no machine sees
// all of them.
func TestDrawnInterleavings(t *testing.T) {
	var ways []change
	for _, name := range []string{"Invalidate", "WriteThrough", "InvalidateTags", "Set", "CommitTags", "Clear", "InvalidateBelow"} {
		ways = append(ways, changes[name])
	}
	runs, total := 0, 0
	sample(budget(1_000, 100_000), 1, func(choose func(int) int) {
		if t.Failed() {
			return
		}
		wrong, steps := interleaved(t, model.New(1), choose, 3, ways[choose(len(ways))], ways[choose(len(ways))])
		for _, w := range wrong {
			t.Error(w)
		}
		total += steps
		runs++
	})
	t.Logf("%d histories of %d steps on average", runs, total/max(runs, 1))
}

// Over a Redis that stores what it should refuse, the same interleavings go wrong.
func TestInterleavingsCanFail(t *testing.T) {
	found := 0
	sample(200, 1, func(choose func(int) int) {
		redis := model.New(1)
		redis.Unfenced = true
		if wrong, _ := interleaved(t, redis, choose, 1, changes["Invalidate"]); len(wrong) > 0 {
			found++
		}
	})
	if found == 0 {
		t.Error("no interleaving shows that the fence is missing")
	}
	t.Logf("%d of 200 interleavings show that the fence is missing", found)
}
