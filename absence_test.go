package larder_test

import (
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
)

// This test comes first among the parallel ones: it is the longest.
func TestFrozenForAMinute(t *testing.T) {
	absent(t, absence{length: time.Minute, leave: (*redistest.Server).Pause, comeBack: (*redistest.Server).Resume})
}

func TestFrozenWhileKeysAreInvalidated(t *testing.T) {
	absent(t, absence{length: 3 * time.Second, leave: (*redistest.Server).Pause, comeBack: (*redistest.Server).Resume, keysOnly: true})
}

func TestKilledForAWhile(t *testing.T) {
	absent(t, absence{length: 3 * time.Second, leave: (*redistest.Server).Stop, comeBack: (*redistest.Server).Restart})
}

// absence is a time without Redis, which comes back with all that it had.
type absence struct {
	length          time.Duration
	leave, comeBack func(*redistest.Server)
	// keysOnly leaves tags and the namespace alone: their new generations would
	// make every entry a miss.
	keysOnly bool
}

// absent checks that what is invalidated while Redis is away waits for it, and
// that nobody who reads does.
func absent(t *testing.T, o absence) {
	t.Parallel()
	const changes = 60
	keys := numbered(20)
	ctx := within(t, o.length+3*time.Minute)
	s := newSource(keys...)
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	plain := setup{url: server.URL()} // the default timeouts: they are the matter here
	a, b := s.invalidator(t, plain), s.bystander(t, plain)
	for _, key := range keys {
		s.hits(ctx, t, a, key)
		s.hits(ctx, t, b, key)
	}
	stop := s.watch(ctx, t, 5*time.Millisecond, keys, a, b)
	o.leave(server)

	tick, end := time.NewTicker(o.length/changes), time.After(o.length)
	defer tick.Stop()
	for i, away := 0, true; away && !t.Failed(); i++ {
		var err error
		switch key := keys[i%len(keys)]; {
		case i%10 == 8 && !o.keysOnly:
			err = s.change(func() error { return a.cache.InvalidateTags(ctx, tag) }, keys...)
		case i%10 == 9 && !o.keysOnly:
			err = s.change(func() error { return a.cache.Clear(ctx) }, keys...)
		default:
			err = s.change(func() error { return a.cache.Invalidate(ctx, key) }, key)
		}
		if !errors.Is(err, larder.ErrInvalidationPending) {
			t.Errorf("change %d: error %v, want ErrInvalidationPending", i, err)
		}
		select {
		case <-tick.C:
		case <-end:
			away = false
		}
	}
	if n := a.cache.Stats().Pending; n < 10 {
		t.Errorf("%d pending", n)
	}
	loads := b.cache.Stats().Loads

	o.comeBack(server)
	eventually(t, "delivery", func() bool { return a.cache.Stats().Pending == 0 })
	for _, key := range keys {
		s[key].others.invalidate(s[key].version.Load())
	}
	for _, p := range []*process{a, b, s.bystander(t, plain)} {
		for _, key := range keys {
			s.settles(ctx, t, p, key)
			s.hits(ctx, t, p, key)
		}
	}
	stop()
	for _, p := range []*process{a, b} {
		// Of which CacheTimeout is the caches' part, and the rest a loaded machine's.
		if limit := larder.DefaultCacheTimeout + 3*time.Second; p.slowest > limit {
			t.Errorf("%s: a Get took %v", p.name, p.slowest)
		}
	}
	if loads == 0 {
		t.Error("nothing was loaded while Redis was away")
	}
	if err := a.cache.Invalidate(ctx, keys...); err != nil {
		t.Errorf("the next invalidation: %v", err)
	}
	a.expires(ctx, t)
}
