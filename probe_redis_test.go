package larder_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/internal/redistest"
)

// told is a slog.Handler that passes messages on.
type told struct {
	slog.Handler
	messages chan string
}

func (h told) Enabled(context.Context, slog.Level) bool { return true }

func (h told) Handle(_ context.Context, r slog.Record) error {
	select {
	case h.messages <- r.Message:
	default:
	}
	return nil
}

// On a real Redis, in real time: a source that changes and nobody invalidates.
func TestProbeFindsABrokenInvalidationOnRedis(t *testing.T) {
	t.Parallel()
	c, r := opener(redistest.Shared(t).URL())(t), &rows{}
	t.Cleanup(func() { _ = c.Close() })
	r.put("k", 1)
	messages := make(chan string, 100)
	cache, err := larder.New(c, larder.Options[string, int64]{
		Namespace: "probe-broken", TTL: time.Hour, ProbeEvery: time.Second, Load: r.load,
		Logger: slog.New(told{slog.DiscardHandler, messages}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	if _, err := cache.Get(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	r.put("k", 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	reads := reading(ctx, cache)
	for {
		select {
		case m := <-messages:
			if m != "larder: a value that is served is not the source's" {
				continue
			}
			cancel()
			<-reads
			if s := cache.Stats(); s.ProbeStale1s == 0 || s.ProbeStale1s != s.ProbeChecked1s {
				t.Errorf("%+v", probedOf(s))
			}
			return
		case <-ctx.Done():
			t.Fatalf("the probe has found nothing: %+v", probedOf(cache.Stats()))
		}
	}
}

// reading gets "k" over and over until ctx ends, and then closes what it returns.
func reading(ctx context.Context, cache *larder.Cache[string, int64]) <-chan struct{} {
	done := make(chan struct{})
	pause := time.NewTicker(10 * time.Millisecond)
	go func() {
		defer close(done)
		defer pause.Stop()
		for ctx.Err() == nil {
			_, _ = cache.Get(ctx, "k")
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
		}
	}()
	return done
}

// On a real Redis, in real time: two processes' worth of caches, one of which writes.
func TestProbeOfHealthyCachesOnRedis(t *testing.T) {
	t.Parallel()
	open, r := opener(redistest.Shared(t).URL()), &rows{}
	r.put("k", 0)
	looked := make(chan struct{}, 100)
	o := larder.Options[string, int64]{
		Namespace: "probe-healthy", TTL: time.Hour, ProbeEvery: time.Second, Observer: observetest.New(t),
		CacheTimeout: 20 * time.Second, // a busy machine is no failure of Redis
		Load: func(ctx context.Context, key string) (int64, error) {
			if op, _ := observetest.Of(ctx); op.Verb == "probe" {
				select {
				case looked <- struct{}{}:
				default:
				}
			}
			return r.load(ctx, key)
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var caches []*larder.Cache[string, int64]
	var wg sync.WaitGroup
	for range 2 {
		over := open(t)
		t.Cleanup(func() { _ = over.Close() })
		c, err := larder.New(over, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		caches = append(caches, c)
		reads := reading(ctx, c)
		wg.Go(func() { <-reads })
	}
	wg.Go(func() {
		pause := time.NewTicker(5 * time.Millisecond)
		defer pause.Stop()
		for n := int64(1); ctx.Err() == nil; n++ {
			r.put("k", n)
			if err := caches[0].Invalidate(context.WithoutCancel(ctx), "k"); err != nil {
				t.Error(err)
			}
			<-pause.C
		}
	})
	for range 6 { // three looks of each cache, or doubts that were looked at again
		select {
		case <-looked:
		case <-ctx.Done():
			t.Error("the probe does not look")
		}
	}
	cancel()
	wg.Wait()
	for i, c := range caches {
		if s := c.Stats(); s.ProbeStale1s+s.ProbeStale60s > 0 {
			t.Errorf("cache %d: %+v", i, probedOf(s))
		}
	}
}
