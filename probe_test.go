package larder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
)

// letPass lets the fake time of a bubble pass, also in several goroutines at once.
func letPass(d time.Duration) { <-time.After(d) }

// rows is a source that counts how often it is asked.
type rows struct {
	mu    sync.Mutex // protects m
	m     map[string]int64
	asked atomic.Int64
}

func (r *rows) put(key string, v int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[string]int64{}
	}
	r.m[key] = v
}

func (r *rows) drop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.m, key)
}

func (r *rows) load(_ context.Context, key string) (int64, error) {
	r.asked.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.m[key]
	if !ok {
		return 0, larder.ErrNotFound
	}
	return v, nil
}

// probed is what the probe has counted.
type probed struct{ checked1, stale1, checked60, stale60, undecided uint64 }

func probedOf(s larder.Stats) probed {
	return probed{s.ProbeChecked1s, s.ProbeStale1s, s.ProbeChecked60s, s.ProbeStale60s, s.ProbeUndecided}
}

// probing makes a cache whose probe takes one key, "k".
func probing(t *testing.T, r *rows, o larder.Options[string, int64]) *larder.Cache[string, int64] {
	t.Helper()
	o.ProbeEvery, o.TTL, o.NegativeTTL = time.Hour, 24*time.Hour, 24*time.Hour
	if o.Load == nil {
		o.Load = r.load
	}
	c := newCache(t, newEngine(t).Connect(), o)
	letPass(time.Hour)
	synctest.Wait()
	_, _ = c.Get(t.Context(), "k")
	synctest.Wait()
	return c
}

// What a source does after a key was served, and what the probe makes of it.
func TestProbe(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of fake time take half a minute")
	}
	for name, tc := range map[string]struct {
		absent bool // the source has no value at first
		after  func(ctx context.Context, r *rows, c *larder.Cache[string, int64])
		change func(o *larder.Options[string, int64])
		want   probed
		loads  uint64
	}{
		"nothing changes": {want: probed{checked1: 1, checked60: 1}, loads: 2},
		"nobody invalidates": {
			after: func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) { r.put("k", 2) },
			want:  probed{checked1: 1, stale1: 1, checked60: 1, stale60: 1}, loads: 4,
		},
		"nobody invalidates a value that has gone": {
			after: func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) { r.drop("k") },
			want:  probed{checked1: 1, stale1: 1, checked60: 1, stale60: 1}, loads: 4,
		},
		"nobody invalidates an absence": {
			absent: true,
			after:  func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) { r.put("k", 2) },
			want:   probed{checked1: 1, stale1: 1, checked60: 1, stale60: 1}, loads: 4,
		},
		"an absence that stays": {absent: true, want: probed{checked1: 1, checked60: 1}, loads: 2},
		"nobody invalidates after the first look": {
			after: func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) {
				letPass(2 * time.Second)
				r.put("k", 2)
			},
			want: probed{checked1: 1, checked60: 1, stale60: 1}, loads: 3,
		},
		"the invalidation is late": {
			after: func(ctx context.Context, r *rows, c *larder.Cache[string, int64]) {
				letPass(900 * time.Millisecond)
				r.put("k", 2)
				letPass(2 * time.Second)
				_ = c.Invalidate(ctx, "k")
				_, _ = c.Get(ctx, "k")
			},
			want: probed{checked1: 1, checked60: 1}, loads: 3,
		},
		"the invalidation is later than a writer may be": {
			after: func(ctx context.Context, r *rows, c *larder.Cache[string, int64]) {
				letPass(900 * time.Millisecond)
				r.put("k", 2)
				letPass(10 * time.Second)
				_ = c.Invalidate(ctx, "k")
				_, _ = c.Get(ctx, "k")
			},
			want: probed{checked1: 1, stale1: 1, checked60: 1}, loads: 3,
		},
		"the value goes and nobody asks again": {
			after: func(ctx context.Context, r *rows, c *larder.Cache[string, int64]) {
				r.put("k", 2)
				_ = c.Invalidate(ctx, "k")
			},
		},
		"the value comes back": {
			after: func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) {
				r.put("k", 2)
				letPass(2 * time.Second)
				r.put("k", 1)
			},
			want: probed{checked1: 1, checked60: 1}, loads: 3,
		},
		"the source is a replica that lags": {
			after: func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) { r.put("k", 0) },
			change: func(o *larder.Options[string, int64]) {
				o.Revision = func(v int64) uint64 { return uint64(v) }
			},
			want: probed{undecided: 2}, loads: 2,
		},
		"values that Equal does not tell apart": {
			after:  func(_ context.Context, r *rows, _ *larder.Cache[string, int64]) { r.put("k", 2) },
			change: func(o *larder.Options[string, int64]) { o.Equal = func(a, b int64) bool { return a > 0 && b > 0 } },
			want:   probed{checked1: 1, checked60: 1}, loads: 2,
		},
		"Equal panics": {
			change: func(o *larder.Options[string, int64]) { o.Equal = func(a, b int64) bool { panic(a) } },
			want:   probed{undecided: 2}, loads: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, seen := &rows{}, observetest.New(t)
				if !tc.absent {
					r.put("k", 1)
				}
				var log bytes.Buffer
				o := larder.Options[string, int64]{Observer: seen, Logger: slog.New(slog.NewTextHandler(&log, nil))}
				if tc.change != nil {
					tc.change(&o)
				}
				c := probing(t, r, o)
				before := r.asked.Load()
				if tc.after != nil {
					tc.after(t.Context(), r, c)
				}
				letPass(2 * time.Minute)
				synctest.Wait()
				s := c.Stats()
				if got := probedOf(s); got != tc.want {
					t.Errorf("the probe has counted %+v, want %+v", got, tc.want)
				}
				if s.ProbeLoads != tc.loads {
					t.Errorf("the probe has loaded %d times, want %d", s.ProbeLoads, tc.loads)
				}
				if all, own := uint64(r.asked.Load()-before), s.Loads-1+s.ProbeLoads; all != own {
					t.Errorf("the source was asked %d times, and %d were counted", all, own)
				}
				if n := len(seen.Ended(observe.Cache, "probe")); n != int(tc.loads) {
					t.Errorf("%d operations of the probe, want %d", n, tc.loads)
				}
				figures := seen.Figures(observe.Cache, "ns")
				if figures["larder.cache.probe.stale{1s}"] != float64(tc.want.stale1) ||
					figures["larder.cache.probe.stale{60s}"] != float64(tc.want.stale60) ||
					figures["larder.cache.probe.checked{1s}"] != float64(tc.want.checked1) ||
					figures["larder.cache.probe.checked{60s}"] != float64(tc.want.checked60) {
					t.Errorf("the Observer was told %v", figures)
				}
				if n := strings.Count(log.String(), "namespace=ns"); n != int(tc.want.stale1+tc.want.stale60) {
					t.Errorf("the log says %q", log.String())
				}
				if strings.Contains(log.String(), "ns:k") || strings.Contains(log.String(), "=k ") {
					t.Errorf("the log names the key: %q", log.String())
				}
			})
		})
	}
}

// A codec that never writes the same twice is no reason for an alarm.
func TestProbeOfAnEncryptedCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, err := larder.NewEncryptionKey("test", []byte("0123456789abcdef0123456789ABCDEF"))
		if err != nil {
			t.Fatal(err)
		}
		codec, err := larder.Encrypt(larder.JSON[int64](), key)
		if err != nil {
			t.Fatal(err)
		}
		r := &rows{}
		r.put("k", 1)
		c := probing(t, r, larder.Options[string, int64]{Codec: codec})
		letPass(30 * time.Second)
		r.put("k", 2)
		letPass(time.Minute)
		if got, want := probedOf(c.Stats()), (probed{checked1: 1, checked60: 1, stale60: 1}); got != want {
			t.Errorf("the probe has counted %+v, want %+v", got, want)
		}
	})
}

// A source that does not answer is asked once, however many keys wait, and nothing
// waits for it.
func TestProbeOfASourceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hang atomic.Bool
		release := make(chan struct{})
		defer close(release)
		c := newCache(t, nil, larder.Options[string, int64]{
			TTL: 24 * time.Hour, ProbeEvery: time.Second, LoadTimeout: 5 * time.Second,
			Load: func(context.Context, string) (int64, error) {
				if hang.Load() {
					<-release // whatever becomes of its context
				}
				return 1, nil
			},
		})
		if _, err := c.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		hang.Store(true)
		for range 600 {
			letPass(time.Second)
			if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
				t.Fatal(v, err)
			}
		}
		s := c.Stats()
		if s.ProbeLoads != 1 || s.ProbeUndecided < 100 || s.ProbeStale1s+s.ProbeStale60s+s.ProbeChecked1s > 0 {
			t.Errorf("%d loads, %+v", s.ProbeLoads, probedOf(s))
		}
	})
}

// The source pays two loads for each key in the worst healthy case, four where all is
// stale, and keys are taken no more often than ProbeEvery says.
func TestWhatTheProbeCosts(t *testing.T) {
	for name, tc := range map[string]struct {
		broken   bool
		each, of uint64
	}{"healthy": {false, 2, 59}, "broken": {true, 4, 59}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &rows{}
				c := newCache(t, nil, larder.Options[string, int64]{TTL: 24 * time.Hour, ProbeEvery: 10 * time.Second, Load: r.load})
				keys := numbered(50)
				for i, key := range keys {
					r.put(key, int64(i))
					if _, err := c.Get(t.Context(), key); err != nil {
						t.Fatal(err)
					}
				}
				for i, key := range keys {
					if tc.broken {
						r.put(key, int64(i+1000))
					}
				}
				for i := range 6000 { // ten minutes
					letPass(100 * time.Millisecond)
					if _, err := c.Get(t.Context(), keys[i%len(keys)]); err != nil {
						t.Fatal(err)
					}
				}
				letPass(2 * time.Minute)
				s := c.Stats()
				if s.ProbeChecked1s < 50 || s.ProbeChecked60s > 60 || s.ProbeLoads > 60*tc.each {
					t.Errorf("%+v with %d loads", probedOf(s), s.ProbeLoads)
				}
				stale := s.ProbeStale1s == s.ProbeChecked1s && s.ProbeStale60s == s.ProbeChecked60s
				if none := s.ProbeStale1s+s.ProbeStale60s == 0; tc.broken && !stale || !tc.broken && !none {
					t.Errorf("%+v", probedOf(s))
				}
			})
		})
	}
}

func TestProbeOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []larder.Options[string, int64]{
		{ProbeEvery: -1, Load: always(1)},
		{ProbeEvery: 999 * time.Millisecond, Load: always(1)},
		{ProbeEvery: time.Second},
	} {
		o.Namespace, o.TTL, o.Local = "ns", time.Minute, true
		var oerr *larder.OptionError
		if _, err := larder.New(nil, o); !errors.As(err, &oerr) || oerr.Field != "ProbeEvery" {
			t.Errorf("%v: %v", o.ProbeEvery, err)
		}
	}
}

// Readers and writers that do what they should, in two processes, for an hour: none of
// it is an alarm, though writers take their time between commit and invalidation.
func TestProbeOfHealthyCaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, e := &rows{}, newEngine(t)
		keys := numbered(5)
		for _, key := range keys {
			r.put(key, 0)
		}
		o := larder.Options[string, int64]{
			Load: r.load, TTL: time.Minute, ProbeEvery: time.Second, Tags: func(string) []string { return []string{"x"} },
		}
		caches := []*larder.Cache[string, int64]{newCache(t, e.Connect(), o), newCache(t, e.Connect(), o)}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i, c := range caches {
			for j := range 3 {
				wg.Go(func() {
					for n := int64(0); ctx.Err() == nil; n++ {
						key := keys[n%int64(len(keys))]
						_, _ = c.Get(ctx, key)
						letPass(time.Duration(50+10*i+7*j) * time.Millisecond)
					}
				})
			}
			wg.Go(func() {
				for n := int64(1); ctx.Err() == nil; n++ {
					key := keys[n%int64(len(keys))]
					var err error
					switch n % 4 {
					case 0:
						err = c.WriteThrough(ctx, key, func(context.Context) (int64, error) {
							r.put(key, n%2)
							return n % 2, nil
						})
					case 1:
						r.put(key, n%2)
						letPass(time.Duration(n%20) * 100 * time.Millisecond)
						err = c.InvalidateTags(ctx, "x")
					default: // values come back again and again
						r.put(key, n%2)
						letPass(time.Duration(n%20) * 100 * time.Millisecond)
						err = c.Invalidate(ctx, key)
					}
					if err != nil && ctx.Err() == nil {
						t.Error(err)
					}
					letPass(300 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		for i, c := range caches {
			if s := c.Stats(); s.ProbeStale1s+s.ProbeStale60s > 0 || s.ProbeChecked1s < 100 || s.ProbeChecked60s < 50 {
				t.Errorf("cache %d: %+v", i, probedOf(s))
			}
		}
	})
}

func TestTheProbeSeesGetMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{}
		c := newCache(t, nil, larder.Options[string, int64]{ProbeEvery: time.Second, TTL: time.Hour, Load: r.load})
		keys := numbered(20)
		for i, key := range keys {
			r.put(key, int64(i))
		}
		letPass(time.Second)
		synctest.Wait()
		if got, err := c.GetMany(t.Context(), keys); len(got) != 20 || err != nil {
			t.Fatal(fmt.Sprint(got), err)
		}
		letPass(2 * time.Minute)
		if got, want := probedOf(c.Stats()), (probed{checked1: 1, checked60: 1}); got != want {
			t.Errorf("the probe has counted %+v, want %+v", got, want)
		}
	})
}
