package larder_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P3: one load per key in the whole fleet.

// slowSource loads for a while, and knows when the last load began.
type slowSource struct {
	takes time.Duration
	loads atomic.Int64
	began atomic.Int64 // Unix nanoseconds
}

func (s *slowSource) load(ctx context.Context, _ string) (int64, error) {
	s.loads.Add(1)
	s.began.Store(time.Now().UnixNano())
	select {
	case <-time.After(s.takes):
		return 1, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s *slowSource) options() larder.Options[string, int64] {
	return larder.Options[string, int64]{Load: s.load, TTL: time.Hour, LoadTimeout: time.Hour}
}

// Callers of two processes ask for a key at the same time, and while it is loaded
// for longer than a lease: the lease is renewed, the loader runs once, and all
// have the value as soon as it is there.
func TestOneLoadInTheFleet(t *testing.T) {
	for name, takes := range map[string]time.Duration{
		"at once": 0, "within a lease": larder.DefaultLease / 2, "within ten leases": 10 * larder.DefaultLease,
	} {
		for how, ask := range asks[int64]() {
			t.Run(name+", "+how, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
					src := &slowSource{takes: takes}
					start := time.Now()
					var wg sync.WaitGroup
					for _, s := range []*scripted.Server{a, b} {
						c := newCache(t, connect(t, s, redisconn.Options{}), src.options())
						for i := range 50 {
							wg.Go(func() {
								<-time.After(takes * time.Duration(i) / 50)
								if v, err := ask(t.Context(), c, "k"); v != 1 || err != nil {
									t.Errorf("got %d, %v", v, err)
								}
								if d := time.Since(start) - takes; d > added {
									t.Errorf("the value came %v after it was loaded", d)
								}
							})
						}
					}
					wg.Wait()
					if n := src.loads.Load(); n != 1 {
						t.Errorf("%d loads", n)
					}
				})
			})
		}
	}
}

// The process that loads dies at some moment of its lease: another one that waits
// takes over when the lease, as it was renewed last, has run out.
func TestDeadLoaderIsReplacedAfterOneLease(t *testing.T) {
	const lease = 6 * time.Second // renewed every 2 s
	for name, tt := range map[string]struct{ dies, renewed time.Duration }{
		"at once":                    {0, 0},
		"before the first renewal":   {lease/3 - time.Millisecond, 0},
		"after the first renewal":    {lease/3 + time.Millisecond, lease / 3},
		"after the second renewal":   {lease*2/3 + time.Millisecond, lease * 2 / 3},
		"after more than one lease":  {lease*4/3 + time.Millisecond, lease * 4 / 3},
		"in the middle of a renewal": {lease + lease/6, lease},
	} {
		for how, ask := range asks[int64]() {
			t.Run(name+", "+how, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
					dying, src := &slowSource{takes: time.Hour}, &slowSource{}
					od, os := dying.options(), src.options()
					od.Lease, os.Lease = lease, lease
					holder := newCache(t, connect(t, a, redisconn.Options{}), od)
					ctx, cancel := context.WithCancel(t.Context())
					lost := get(ctx, holder, "k")
					synctest.Wait()
					granted := time.Now()
					waiter := newCache(t, connect(t, b, redisconn.Options{}), os)
					got := make(chan time.Time, 1)
					go func() {
						if v, err := ask(t.Context(), waiter, "k"); v != 1 || err != nil {
							t.Errorf("got %d, %v", v, err)
						}
						got <- time.Now()
					}()
					elapse(tt.dies)
					a.Break(scripted.Fault{Kind: scripted.Hang})
					a.Cut()
					at := <-got
					if n := src.loads.Load(); n != 1 {
						t.Errorf("%d loads of the one that waits", n)
					}
					// Deadlines are in whole milliseconds.
					took := time.Unix(0, src.began.Load()).Sub(granted) - tt.renewed
					if took < lease || took > lease+time.Millisecond {
						t.Errorf("replaced after %v, want one lease, %v", took, lease)
					}
					if d := at.Sub(time.Unix(0, src.began.Load())); d > 0 {
						t.Errorf("the value came %v after it was loaded", d)
					}
					cancel()
					<-lost
				})
			})
		}
	}
}

// Where Redis is away each process loads by itself, once at a time, and everybody
// gets a value.
func TestLoadsOfAProcessDoNotOverlapWithoutRedis(t *testing.T) {
	for how, ask := range asks[int64]() {
		t.Run(how, func(t *testing.T) {
			eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
				src := &slowSource{takes: 3 * time.Second}
				var loading atomic.Int64
				o := src.options()
				o.Load = func(ctx context.Context, key string) (int64, error) {
					if n := loading.Add(1); n > 1 {
						t.Errorf("%d loads at a time", n)
					}
					defer loading.Add(-1)
					return src.load(ctx, key)
				}
				c := newCache(t, connect(t, s, redisconn.Options{}), o)
				strike()
				var wg sync.WaitGroup
				for range 100 {
					wg.Go(func() {
						if v, err := ask(t.Context(), c, "k"); v != 1 || err != nil {
							t.Errorf("got %d, %v", v, err)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// Callers who ask together, and wait for a silent Redis together, share one load.
func TestOneLoadPerProcessWithoutRedis(t *testing.T) {
	for _, state := range []string{"frozen", "executes, mute", "half answers", "10s late"} {
		for how, ask := range asks[int64]() {
			t.Run(state+", "+how, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
					src := &slowSource{takes: 3 * time.Second}
					var wg sync.WaitGroup
					for _, s := range []*scripted.Server{a, b} {
						c := newCache(t, connect(t, s, redisconn.Options{}), src.options())
						troubles[state](s)
						for range 100 {
							wg.Go(func() {
								if v, err := ask(t.Context(), c, "k"); v != 1 || err != nil {
									t.Errorf("got %d, %v", v, err)
								}
							})
						}
					}
					wg.Wait()
					if n := src.loads.Load(); n != 2 {
						t.Errorf("%d loads of two processes", n)
					}
				})
			})
		}
	}
}

// Those who ask while it loads wait for that load to end and share the next one:
// there are two, and nobody waits for a third, however many ask.
func TestLateCallersShareTheNextLoadWithoutRedis(t *testing.T) {
	for how, ask := range asks[int64]() {
		t.Run(how, func(t *testing.T) {
			eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
				src := &slowSource{takes: 3 * time.Second}
				c := newCache(t, connect(t, s, redisconn.Options{}), src.options())
				strike()
				start := time.Now()
				var wg sync.WaitGroup
				for i := range 100 {
					wg.Go(func() {
						<-time.After(time.Duration(i) * 20 * time.Millisecond)
						if v, err := ask(t.Context(), c, "k"); v != 1 || err != nil {
							t.Errorf("got %d, %v", v, err)
						}
					})
				}
				wg.Wait()
				if n := src.loads.Load(); n > 2 {
					t.Errorf("%d loads", n)
				}
				if d := time.Since(start); d > 2*src.takes+larder.DefaultCacheTimeout {
					t.Errorf("the last one had to wait %v for two loads of %v", d, src.takes)
				}
			})
		})
	}
}
