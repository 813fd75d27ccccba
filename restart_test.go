package larder_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
)

// soonCtx bounds a test that waits for a real server.
func soonCtx(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not in time: " + what)
		}
	}
}

// versioned is a cache over a source whose only value is its version.
func versioned(t *testing.T, server *redistest.Server, version *atomic.Int64) *larder.Cache[string, int64] {
	t.Helper()
	c := opener(server.URL())(t)
	cache, err := larder.New(c, larder.Options[string, int64]{
		Namespace: "restart", TTL: time.Hour,
		Load: func(context.Context, string) (int64, error) { return version.Load(), nil },
		Tags: func(string) []string { return []string{"restart-tag"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cache.Close()
		_ = c.Close()
	})
	return cache
}

// A server that comes back with an old snapshot has the entry, its generations and
// even the token of a load again: the incarnation tells that they are of another life.
func TestRestartFromOldSnapshotServesNothingOld(t *testing.T) {
	for name, invalidate := range map[string]func(context.Context, *larder.Cache[string, int64]) error{
		"key": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.Invalidate(ctx, "k") },
		"tag": func(ctx context.Context, c *larder.Cache[string, int64]) error {
			return c.InvalidateTags(ctx, "restart-tag")
		},
		"namespace": func(ctx context.Context, c *larder.Cache[string, int64]) error { return c.Clear(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := soonCtx(t)
			server := redistest.Start(t)
			var version atomic.Int64
			cache := versioned(t, server, &version)
			if v, err := cache.Get(ctx, "k"); err != nil || v != 0 {
				t.Fatal(v, err)
			}
			if _, err := server.Do("SAVE"); err != nil {
				t.Fatal(err)
			}
			version.Store(1)
			if err := invalidate(ctx, cache); err != nil {
				t.Fatal(err)
			}
			server.Stop() // what came after the SAVE is gone
			server.Restart()
			if n, err := server.Do("EXISTS", "restart:k"); err != nil || n != "1" {
				t.Fatalf("the snapshot does not have the old entry: %q, %v", n, err)
			}
			for range 20 {
				if v, err := cache.Get(ctx, "k"); err != nil || v != 1 {
					t.Fatalf("got %d, %v: version 0 was invalidated before the server died", v, err)
				}
			}
			late := versioned(t, server, &version) // a process that knows nothing of the past
			if v, err := late.Get(ctx, "k"); err != nil || v != 1 {
				t.Errorf("another process got %d, %v", v, err)
			}
			eventually(t, "cached again", func() bool {
				before := cache.Stats().L1Hits
				_, err := cache.Get(ctx, "k")
				return err == nil && cache.Stats().L1Hits > before
			})
		})
	}
}

// Invalidations that meet a dead server are delivered when it is back, and until
// then neither this process nor, afterwards, any other serves what they concern.
func TestInvalidationsOutliveTheServersAbsence(t *testing.T) {
	ctx := soonCtx(t)
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	var version atomic.Int64
	a, b := versioned(t, server, &version), versioned(t, server, &version)
	for _, c := range []*larder.Cache[string, int64]{a, b} {
		if v, err := c.Get(ctx, "k"); err != nil || v != 0 {
			t.Fatal(v, err)
		}
	}
	server.Stop()
	version.Store(1)
	for _, invalidate := range []func() error{
		func() error { return a.Invalidate(ctx, "k") },
		func() error { return a.InvalidateTags(ctx, "restart-tag") },
		func() error { return a.Clear(ctx) },
	} {
		if err := invalidate(); !errors.Is(err, larder.ErrInvalidationPending) {
			t.Errorf("error %v, want ErrInvalidationPending", err)
		}
	}
	for range 10 { // the source answers
		if v, err := a.Get(ctx, "k"); err != nil || v != 1 {
			t.Fatalf("got %d, %v while the server is away", v, err)
		}
	}
	if n := a.Stats().Pending; n != 3 {
		t.Errorf("%d pending, want 3", n)
	}
	server.Restart()
	eventually(t, "delivery", func() bool { return a.Stats().Pending == 0 })
	for _, c := range []*larder.Cache[string, int64]{a, b} {
		if v, err := c.Get(ctx, "k"); err != nil || v != 1 {
			t.Errorf("got %d, %v after the delivery", v, err)
		}
	}
	if err := a.Invalidate(ctx, "k"); err != nil {
		t.Errorf("the next invalidation: %v", err)
	}
}

// A flushed server has lost the generations too: nothing that L1 holds counts.
func TestFlushIsAMiss(t *testing.T) {
	ctx := soonCtx(t)
	server := redistest.Start(t)
	var version atomic.Int64
	cache := versioned(t, server, &version)
	for range 3 {
		if v, err := cache.Get(ctx, "k"); err != nil || v != 0 {
			t.Fatal(v, err)
		}
	}
	version.Store(1)
	if _, err := server.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a miss", func() bool {
		v, err := cache.Get(ctx, "k")
		return err == nil && v == 1
	})
}

// At maxmemory without eviction Redis refuses scripts that write; invalidations
// must get through all the same.
func TestFullServerAcceptsInvalidations(t *testing.T) {
	ctx := soonCtx(t)
	server := redistest.Start(t, "--maxmemory-policy", "noeviction")
	var version atomic.Int64
	a, b := versioned(t, server, &version), versioned(t, server, &version)
	if v, err := a.Get(ctx, "k"); err != nil || v != 0 {
		t.Fatal(v, err)
	}
	if _, err := server.Do("CONFIG", "SET", "maxmemory", "1mb"); err != nil {
		t.Fatal(err)
	}
	for i, invalidate := range []func() error{
		func() error { return a.InvalidateTags(ctx, "restart-tag") },
		func() error { return a.Clear(ctx) },
		func() error { return a.Invalidate(ctx, "k") },
	} {
		version.Add(1)
		if err := invalidate(); err != nil {
			t.Errorf("invalidation %d: %v", i, err)
		}
		for _, c := range []*larder.Cache[string, int64]{a, b} {
			eventually(t, "the source's answer", func() bool {
				v, err := c.Get(ctx, "k")
				return err == nil && v == int64(i+1)
			})
		}
	}
}
