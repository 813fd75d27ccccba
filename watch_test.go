package larder_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
)

// missed is a cache whose next Get of "k" is to be a miss for a reason. Its values
// live for a minute, carry the tag "x", and are in L1 and in Redis.
type missed struct {
	*testing.T
	h    *hook
	c    *larder.Cache[string, int64]
	o    larder.Options[string, int64]
	hold chan struct{} // the loader waits for it where it is not nil
}

func (m *missed) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// away drops what L1 holds of "k" without touching Redis.
func (m *missed) away() {
	m.Helper()
	tr, _ := m.h.Tracker()
	tr.Announce("ns:k")
}

// edit changes the bytes that Redis holds.
func (m *missed) edit(change func(raw []byte) []byte) {
	m.Helper()
	v, err := m.h.Do(m.Context(), conn.Key("GET", "ns:k"))
	m.must(err)
	_, err = m.h.Do(m.Context(), conn.Key("SET", "ns:k", string(change([]byte(v.Str))), "EX", "60"))
	m.must(err)
}

// Every reason for a miss is driven once, for a Get and for a GetMany, and is the
// only thing that the misses grow by.
func TestMissesAreCountedByReason(t *testing.T) {
	for reason, drive := range map[string]func(m *missed){
		"absent":  func(m *missed) { m.must(m.c.Invalidate(m.Context(), "k")) },
		"expired": func(m *missed) { elapse(2 * time.Minute) },
		"expired, and is still there": func(m *missed) {
			m.edit(func(raw []byte) []byte {
				e, err := entry.Parse(string(raw))
				m.must(err)
				e.FreshUntil, e.StaleUntil = time.Now().UnixMilli(), time.Now().UnixMilli()
				return entry.Append(nil, e.Header, nil, "")
			})
		},
		"tag":        func(m *missed) { m.must(m.c.InvalidateTags(m.Context(), "x")) },
		"generation": func(m *missed) { m.must(m.c.Clear(m.Context())) },
		"schema": func(m *missed) {
			m.edit(func(raw []byte) []byte { raw[4]++; return raw })
		},
		"corrupt": func(m *missed) {
			m.edit(func([]byte) []byte { return []byte("no entry") })
		},
		"incarnation": func(m *missed) {
			m.edit(func(raw []byte) []byte { raw[20]++; return raw })
		},
		"loading": func(m *missed) {
			m.must(m.c.Invalidate(m.Context(), "k"))
			m.hold = make(chan struct{})
			o := m.o
			o.Observer = nil
			get(m.Context(), newCache(m.T, m.h.Conn, o), "k")
			synctest.Wait()
			time.AfterFunc(time.Second, func() { close(m.hold) })
		},
		"lost_lease": func(m *missed) {
			m.edit(func(raw []byte) []byte {
				e, err := entry.Parse(string(raw))
				m.must(err)
				e.Flags, e.Token, e.LeaseUntil = entry.Placeholder, 7, time.Now().UnixMilli()-1
				return entry.Append(nil, e.Header, nil, "")
			})
		},
		"barrier": func(m *missed) {
			o := m.o
			o.Observer = nil
			writer := newCache(m.T, m.h.Conn, o)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = writer.WriteThrough(m.Context(), "k", func(context.Context) (int64, error) {
					elapse(time.Second)
					return 2, nil
				})
			}()
			synctest.Wait()
			m.Cleanup(func() { <-done })
		},
		"pending": func(m *missed) {
			m.h.failing("invalidate")
			if err := m.c.Invalidate(m.Context(), "k"); !errors.Is(err, larder.ErrInvalidationPending) {
				m.Fatal(err)
			}
		},
		"unreachable": func(m *missed) {
			m.away()
			m.h.failing("GET", "capture")
		},
	} {
		for how, ask := range asks[int64]() {
			t.Run(reason+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					seen := observetest.New(t)
					m := &missed{T: t, h: newHook(t, newEngine(t))}
					m.o = larder.Options[string, int64]{
						Observer: seen, Jitter: -1, Tags: func(string) []string { return []string{"x"} },
						Load: func(context.Context, string) (int64, error) {
							if m.hold != nil {
								<-m.hold
							}
							return 1, nil
						},
					}
					m.c = newCache(t, m.h, m.o)
					if _, err := ask(t.Context(), m.c, "k"); err != nil {
						t.Fatal(err)
					}
					drive(m)
					before := missesOf(seen)
					if _, err := ask(t.Context(), m.c, "k"); err != nil {
						t.Fatal(err)
					}
					label, _, _ := strings.Cut(reason, ",")
					before[label]++
					if got := missesOf(seen); !maps.Equal(got, before) {
						t.Errorf("misses are %v, want %v", got, before)
					}
					m.h.on(nil)
				})
			})
		}
	}
}

func missesOf(seen *observetest.Recorder) map[string]float64 {
	misses := map[string]float64{}
	for name, n := range seen.Figures(observe.Cache, "ns") {
		if reason, ok := cutLabel(name, "larder.cache.misses"); ok {
			misses[reason] = n
		}
	}
	return misses
}

func cutLabel(figure, metric string) (label string, ok bool) {
	if len(figure) < len(metric)+2 || figure[:len(metric)] != metric {
		return "", false
	}
	return figure[len(metric)+1 : len(figure)-1], true
}

// A course of calls whose every figure is known.
func TestWhatAnObserverIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, ctx := observetest.New(t), t.Context()
		var under []string
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, int64]{
			Observer: seen, NegativeTTL: time.Minute, Jitter: -1, StaleFor: time.Hour, MaxValueBytes: 8,
			Load: func(ctx context.Context, key string) (int64, error) {
				op, _ := observetest.Of(ctx)
				under = append(under, op.Name+" "+op.Verb)
				switch key {
				case "none":
					return 0, larder.ErrNotFound
				case "down":
					return 0, errDown
				case "large":
					return 1_234_567_890, nil
				}
				return 1, nil
			},
		})
		for _, key := range []string{"a", "a", "none", "none", "down", "large"} {
			_, _ = c.Get(ctx, key)
		}
		time.Sleep(61 * time.Second)
		_, _ = c.Get(ctx, "a") // stale, and a load behind it
		synctest.Wait()
		if err := errors.Join(c.Set(ctx, "b", 2), c.Invalidate(ctx, "a"), c.Clear(ctx)); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteThrough(ctx, "b", func(ctx context.Context) (int64, error) {
			op, _ := observetest.Of(ctx)
			under = append(under, op.Name+" "+op.Verb)
			return 3, nil
		}); err != nil {
			t.Fatal(err)
		}
		seen.Want(observe.Cache, "ns", map[string]float64{
			"larder.cache.hits{l1}":       3, // a, none, a stale
			"larder.cache.misses{absent}": 4,
			"larder.cache.negative_hits":  1,
			"larder.cache.stale_serves":   1,
			"larder.cache.loads":          5,
			"larder.cache.load_errors":    1,
			"larder.cache.fills":          5, // a, none, a again, Set, WriteThrough
			"larder.cache.oversize":       1,
			"larder.cache.invalidations":  4,
		}, "larder.cache.pushes", "larder.cache.l1.entries", "larder.cache.l1.size")
		if want := slices.Concat(slices.Repeat([]string{"ns load"}, 5), []string{"ns write"}); !slices.Equal(under, want) {
			t.Errorf("loaders ran under %q, want %q", under, want)
		}
		for verb, want := range map[string]int{"read": 4, "load": 5, "fill": 4, "invalidate": 2, "write": 1} {
			if got := seen.Ended(observe.Cache, verb); len(got) != want {
				t.Errorf("%d operations %s, want %d", len(got), verb, want)
			}
		}
		failed := slices.DeleteFunc(seen.Ended(observe.Cache, ""), func(op observetest.Operation) bool { return op.Err == nil })
		if len(failed) != 1 || failed[0].Verb != "load" || !errors.Is(failed[0].Err, errDown) {
			t.Errorf("these operations have failed: %v", failed)
		}
	})
}

// What a closed cache has counted stays, and the source is gone.
func TestTheSourceGoesWithTheCache(t *testing.T) {
	t.Parallel()
	seen := observetest.New(t)
	c := newCache(t, nil, larder.Options[string, int64]{Observer: seen, Load: always(1)})
	if s := seen.Subjects(); len(s) != 1 || s[0].Kind != observe.Cache || s[0].Name != "ns" {
		t.Fatalf("subjects: %+v", s)
	}
	if _, err := c.Get(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if s := seen.Subjects(); len(s) != 0 {
		t.Errorf("subjects after Close: %+v", s)
	}
	seen.Want(observe.Cache, "ns", map[string]float64{"larder.cache.misses{absent}": 1, "larder.cache.loads": 1})
	if got := seen.Metrics(); len(got) != len(larder.Metrics()) {
		t.Errorf("%d metrics, of which Metrics lists %d", len(got), len(larder.Metrics()))
	}
}

// A key that has expired, is loaded again and then invalidated, has not expired.
func TestAnExpiryIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, ctx := observetest.New(t), t.Context()
		c := newCache(t, newEngine(t).Connect(), larder.Options[string, int64]{Observer: seen, Load: always(1)})
		for _, step := range []func(){
			func() {},
			func() { elapse(2 * time.Minute) },
			func() { _ = c.Invalidate(ctx, "k") },
		} {
			step()
			if _, err := c.Get(ctx, "k"); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := missesOf(seen), (map[string]float64{"absent": 2, "expired": 1}); !maps.Equal(got, want) {
			t.Errorf("misses are %v, want %v", got, want)
		}
	})
}

// A local cache has reasons of its own.
func TestMissesOfALocalCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, ctx := observetest.New(t), t.Context()
		c := newCache(t, nil, larder.Options[string, int64]{
			Observer: seen, Load: always(1), Tags: func(string) []string { return []string{"x"} },
		})
		want := map[string]float64{}
		for _, step := range []struct {
			reason string
			drive  func() error
		}{
			{"absent", func() error { return nil }},
			{"expired", func() error { time.Sleep(time.Hour); return nil }},
			{"tag", func() error { return c.InvalidateTags(ctx, "x") }},
			{"absent", func() error { return c.Clear(ctx) }}, // which empties L1
		} {
			if err := step.drive(); err != nil {
				t.Fatal(err)
			}
			want[step.reason]++
			if _, err := c.Get(ctx, "k"); err != nil {
				t.Fatal(err)
			}
			if got := missesOf(seen); !maps.Equal(got, want) {
				t.Fatalf("misses are %v, want %v", got, want)
			}
		}
	})
}

func TestEvictionsAreCounted(t *testing.T) {
	t.Parallel()
	c := newCache(t, nil, larder.Options[string, int64]{Load: always(1), L1MaxBytes: 4 << 10})
	for _, key := range numbered(1000) {
		if _, err := c.Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.L1Evictions == 0 || int(s.L1Evictions)+s.L1Entries < 1000 {
		t.Errorf("1000 keys were put in; %d evictions, %d entries", s.L1Evictions, s.L1Entries)
	}
}
