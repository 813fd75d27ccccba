package larder_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
)

// explained is a cache whose key "k" is to be brought into a state.
type explained struct {
	t     *testing.T
	e     *embedded.Engine
	h     *hook
	epoch *conn.Epoch // of the cache's tracking connection
	c     *larder.Cache[string, int64]
	fail  bool          // the loader does
	hold  chan struct{} // the loader waits for it, if it is not nil
}

const explainBound = 2 * time.Second

// explaining makes a cache over an engine, or a local one, whose values have a TTL
// of a minute, and are stale for an hour.
func explaining(t *testing.T, local bool, change func(*larder.Options[string, int64])) *explained {
	t.Helper()
	s := &explained{t: t, epoch: &conn.Epoch{}}
	s.epoch.Hear(conn.Always)
	o := larder.Options[string, int64]{
		TTL: time.Minute, StaleFor: time.Hour, Jitter: -1, RetryAfter: 10 * time.Second, StalenessBound: explainBound,
		Tags: func(string) []string { return []string{"x"} },
		Load: func(ctx context.Context, _ string) (int64, error) {
			if s.hold != nil {
				select {
				case <-s.hold:
				case <-ctx.Done():
				}
			}
			if s.fail {
				return 0, errDown
			}
			return 1, nil
		},
	}
	if change != nil {
		change(&o)
	}
	if local {
		s.c = newCache(t, nil, o)
		return s
	}
	e := newEngine(t)
	s.e, s.h = e, newHook(t, e)
	s.c = newCache(t, vouched{s.h, s.epoch}, o)
	return s
}

// vouched is a connection whose heartbeats a test decides on.
type vouched struct {
	*hook
	epoch *conn.Epoch
}

func (v vouched) Tracker() (conn.Tracker, bool) {
	tr, ok := v.hook.Tracker()
	return vouchedTracker{tr, v.epoch}, ok
}

type vouchedTracker struct {
	conn.Tracker
	epoch *conn.Epoch
}

func (t vouchedTracker) Epoch(string) *conn.Epoch { return t.epoch }

func (s *explained) get() {
	s.t.Helper()
	if _, err := s.c.Get(s.t.Context(), "k"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *explained) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// losing makes every op fail on its way to Redis.
func (s *explained) losing(op string) {
	s.h.on(func(_ context.Context, this string, run func()) error {
		if this == op {
			return errDown
		}
		run()
		return nil
	})
}

// away is another process with a cache of the same namespace.
func (s *explained) away(change func(*larder.Options[string, int64])) *larder.Cache[string, int64] {
	o := larder.Options[string, int64]{
		TTL: time.Minute, StaleFor: time.Hour, Load: always(1), Tags: func(string) []string { return []string{"x"} },
	}
	if change != nil {
		change(&o)
	}
	return newCache(s.t, s.e.Connect(), o)
}

// loading begins a Get whose load lasts until the test ends.
func (s *explained) loading() {
	s.hold = make(chan struct{})
	got := get(s.t.Context(), s.c, "k")
	s.t.Cleanup(func() { close(s.hold); <-got })
	synctest.Wait()
}

// writing begins a WriteThrough that lasts until the test ends.
func (s *explained) writing() {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.c.WriteThrough(context.Background(), "k", func(context.Context) (int64, error) { <-end; return 1, nil })
	}()
	s.t.Cleanup(func() { close(end); <-done })
	synctest.Wait()
}

// Each state is told of with its reason, by a cache over Redis and a local one
// where there is such a state.
func TestExplain(t *testing.T) {
	noL1 := func(o *larder.Options[string, int64]) { o.L1MaxBytes = -1 }
	for name, tt := range map[string]struct {
		change  func(*larder.Options[string, int64])
		play    func(*explained)
		pass    time.Duration    // goes by
		then    func(*explained) // is played after that, if there is one
		verdict string           // a part of it
		text    string           // a line of String
		holds   func(larder.Explanation) bool
		local   bool // also without Redis
	}{
		"nothing": {
			play: func(*explained) {}, verdict: "absent: the next Get loads", text: "in L1        nothing", local: true,
			holds: func(x larder.Explanation) bool { return !x.InL1 && x.Stored == nil && x.LastInvalidation == nil },
		},
		"nothing and no loader": {
			change: func(o *larder.Options[string, int64]) { o.Load = nil },
			play:   func(*explained) {}, verdict: "absent", text: "there is no Options.Load", local: true,
		},
		"fresh in L1": {
			play: (*explained).get, verdict: "from L1: served fresh", text: "fresh for 1 m", local: true,
			holds: func(x larder.Explanation) bool {
				return x.InL1 && x.L1FreshFor == time.Minute && x.L1ServedFor == time.Minute+time.Hour && x.L1Bytes > 0
			},
		},
		"negative in L1": {
			change: func(o *larder.Options[string, int64]) {
				o.NegativeTTL = time.Minute
				o.Load = func(context.Context, string) (int64, error) { return 0, larder.ErrNotFound }
			},
			play:    func(s *explained) { _, _ = s.c.Get(s.t.Context(), "k") },
			verdict: "from L1: served fresh as not found", text: "in L1", local: true,
		},
		"stale in L1": {
			play: (*explained).get, pass: 2 * time.Minute,
			verdict: "from L1: served stale while one loads: the next Get begins", text: "2 m old, stale, served for 59 m", local: true,
		},
		"being refreshed": {
			play: (*explained).get, pass: 2 * time.Minute, then: (*explained).loading,
			verdict: "served stale while one loads", text: "behind what is served", local: true,
			holds: func(x larder.Explanation) bool { return x.Flight == "refresh" },
		},
		"refresh failed": {
			play: (*explained).get, pass: 2 * time.Minute,
			then: func(s *explained) {
				s.fail = true
				s.get()
				synctest.Wait()
			},
			verdict: "served stale: the last load failed", text: "none for a while", local: true,
			holds: func(x larder.Explanation) bool {
				return x.Flight == "pause" && (x.Stored == nil || x.Stored.Lease == "paused")
			},
		},
		"expired": {
			play: (*explained).get, pass: 2 * time.Hour,
			verdict: ": the next Get loads", text: "in L1", local: true,
			holds: func(x larder.Explanation) bool {
				return (!x.InL1 || x.NotFromL1 == "expired") && x.Stored == nil
			},
		},
		"being loaded": {
			play: (*explained).loading, verdict: "a Get waits for the load", text: "for which a Get waits", local: true,
			holds: func(x larder.Explanation) bool {
				return x.Flight == "load" && (x.Stored == nil || x.Stored.Kind == "placeholder" && x.Stored.Lease == "held")
			},
		},
		"load overtaken": {
			play: func(s *explained) {
				s.loading()
				s.must(s.c.Invalidate(s.t.Context(), "k"))
			},
			verdict: "absent", text: "that was overtaken", local: true,
			holds: func(x larder.Explanation) bool { return x.Flight == "overtaken" },
		},
		"tag invalidated here": {
			play: func(s *explained) {
				s.get()
				s.must(s.c.InvalidateTags(s.t.Context(), "x"))
			},
			verdict: "a miss: tag x was invalidated", text: "not served: tag x was invalidated", local: true,
			holds: func(x larder.Explanation) bool { return x.InL1 && x.NotFromL1 != "" },
		},
		"tag invalidated by another process": {
			play: func(s *explained) {
				s.get()
				s.must(s.away(nil).InvalidateTags(s.t.Context(), "x"))
				synctest.Wait()
			},
			verdict: "a miss: tag x was invalidated", text: "invalidated  tag x, 0 ms ago by " + hostAndPID(),
			holds: func(x larder.Explanation) bool {
				last := x.LastInvalidation
				return last != nil && last.Tag == "x" && last.By == hostAndPID() && last.Age < time.Second &&
					len(x.Generations) == 2 && x.Generations[0].State == "current" && x.Generations[1].State == "overtaken"
			},
		},
		"cleared, and gone": {
			play: func(s *explained) {
				s.get()
				s.must(s.c.Clear(s.t.Context()))
				s.must(s.c.Invalidate(s.t.Context(), "k"))
			},
			verdict: "absent", text: "invalidated  namespace ns, ",
			holds: func(x larder.Explanation) bool {
				return x.LastInvalidation != nil && x.LastInvalidation.Tag == "" && len(x.Generations) == 2
			},
		},
		"being cleared": {
			change: noL1,
			play: func(s *explained) {
				s.get()
				s.must(s.c.ClearOver(s.t.Context(), 24*time.Hour))
			},
			verdict: "from Redis: served fresh; namespace ns is being cleared", text: "ending: being cleared over 24 h",
			holds: func(x larder.Explanation) bool {
				g := x.Generations[0]
				return g.State == "ending" && g.Left > 0 && x.LastInvalidation.Left == g.Left && x.Stored.FreshFor <= g.Left
			},
		},
		"only in Redis": {
			play: func(s *explained) {
				_, err := s.away(nil).Get(s.t.Context(), "k")
				s.must(err)
			},
			verdict: "from Redis: served fresh", text: "in L1        nothing",
			holds: func(x larder.Explanation) bool {
				return x.Stored.Kind == "value" && x.Stored.PayloadBytes == 1 && x.Stored.SameSchema && x.Stored.SameIncarnation && x.Stored.TTL > time.Hour
			},
		},
		"L1 off": {
			change: noL1, play: (*explained).get, verdict: "from Redis: served fresh", text: "in L1        off",
		},
		"connection silent": {
			play: func(s *explained) {
				s.epoch.Hear(conn.Uptime())
				s.get()
			},
			pass:    3 * time.Second,
			verdict: "from Redis: served fresh", text: "not served: no heartbeat of its connection was answered for 3 s: too long for StalenessBound (2 s)",
		},
		"connection lost": {
			play:    func(s *explained) { s.get(); s.epoch.Advance() },
			verdict: "from Redis: served fresh", text: "not served: the connection that it was read over was lost",
		},
		"Redis away": {
			play: func(s *explained) {
				s.h.on(func(context.Context, string, func()) error { return errDown })
			},
			verdict: "Redis does not answer: the next Get loads", text: "lives in     embedded",
		},
		"Redis away, fresh in L1": {
			play: func(s *explained) {
				s.get()
				s.h.on(func(context.Context, string, func()) error { return errDown })
			},
			verdict: "from L1: served fresh", text: "fresh for 1 m",
		},
		"invalidation pending": {
			play: func(s *explained) {
				s.get()
				s.losing("invalidate")
				if err := s.c.Invalidate(s.t.Context(), "k"); !errors.Is(err, larder.ErrInvalidationPending) {
					s.t.Error(err)
				}
			},
			verdict: "a miss: an invalidation by this process has not reached Redis yet: the next Get loads",
			text:    "pending      an invalidation",
			holds:   func(x larder.Explanation) bool { return x.Pending && x.Stored != nil },
		},
		"tag pending": {
			play: func(s *explained) {
				s.get()
				s.losing("bump")
				if err := s.c.InvalidateTags(s.t.Context(), "x"); !errors.Is(err, larder.ErrInvalidationPending) {
					s.t.Error(err)
				}
			},
			verdict: "a miss: an invalidation by this process has not reached Redis yet", text: "pending",
			holds: func(x larder.Explanation) bool { return x.Pending },
		},
		"being written": {
			play: (*explained).writing, verdict: "a miss: ", text: "WriteThrough is under way", local: true,
			holds: func(x larder.Explanation) bool {
				return x.Writing && (x.Stored == nil || x.Stored.Kind == "barrier" && x.Stored.Writers == 1 && x.Stored.BarrierLeft > 0)
			},
		},
		"invalidated below": {
			change:  func(o *larder.Options[string, int64]) { o.Revision = func(int64) uint64 { return 1 } },
			play:    func(s *explained) { s.get(); s.must(s.c.InvalidateBelow(s.t.Context(), "k", 7)) },
			verdict: "a miss: invalidated below revision 7", text: "refused      revisions below 7, for 1 m",
			holds: func(x larder.Explanation) bool {
				return x.Stored.Kind == "tombstone" && x.Stored.Revision == 7 && x.Stored.RefusedFor == time.Minute
			},
		},
		"another codec": {
			play: func(s *explained) {
				_, err := s.away(func(o *larder.Options[string, int64]) { o.Codec = unreadable{name: "other"} }).Get(s.t.Context(), "k")
				s.must(err)
			},
			verdict: "a miss: stored by a program with another codec or another type of value: the next Get loads", text: "in L1        nothing",
			holds: func(x larder.Explanation) bool { return !x.Stored.SameSchema },
		},
		"undecodable": {
			change: func(o *larder.Options[string, int64]) { o.Codec, o.L1MaxBytes = unreadable{name: "u"}, -1 },
			play:   (*explained).get, verdict: "a miss: the codec cannot decode it: the next Get loads",
			holds: func(x larder.Explanation) bool { return x.Stored.SameSchema },
		},
	} {
		for _, local := range []bool{false, true} {
			if local && !tt.local {
				continue
			}
			t.Run(fmt.Sprintf("%s, local %t", name, local), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := explaining(t, local, tt.change)
					tt.play(s)
					time.Sleep(tt.pass)
					if tt.then != nil {
						tt.then(s)
					}
					synctest.Wait()
					counted := func() larder.Stats {
						n := s.c.Stats()
						n.L1Entries, n.L1Bytes = 0, 0 // follow behind
						return n
					}
					before := counted()
					x, err := s.c.Explain(t.Context(), "k")
					if away := strings.HasPrefix(name, "Redis away"); away != errors.Is(err, errDown) || !away && err != nil {
						t.Fatal(err)
					}
					if !strings.Contains(x.Verdict, tt.verdict) {
						t.Errorf("verdict %q, want %q", x.Verdict, tt.verdict)
					}
					if !strings.Contains(x.String(), tt.text) {
						t.Errorf("no %q in\n%s", tt.text, x)
					}
					if tt.holds != nil && !tt.holds(x) {
						t.Errorf("%+v\nstored %+v", jsonOf(t, x), x.Stored)
					}
					if x.RedisKey != "ns:k" || x.Key != "k" || local != (x.Server == "this process") {
						t.Errorf("%s of %s in %s", x.RedisKey, x.Key, x.Server)
					}
					if after := counted(); after != before {
						t.Errorf("looking has changed\n%+v to\n%+v", before, after)
					}
				})
			})
		}
	}
}

// unreadable writes what it cannot read.
type unreadable struct{ name string }

func (u unreadable) Name() string                               { return u.name }
func (u unreadable) Append(dst []byte, _ int64) ([]byte, error) { return append(dst, 'x'), nil }
func (u unreadable) Decode([]byte) (int64, error)               { return 0, errors.New("no") }

func hostAndPID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

func jsonOf(t *testing.T, x larder.Explanation) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A call ends with CacheTimeout, or with its context.
func TestExplainIsBounded(t *testing.T) {
	for name, patience := range map[string]time.Duration{"CacheTimeout": larder.DefaultCacheTimeout, "context": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := explaining(t, false, nil)
				s.get()
				s.h.on(func(ctx context.Context, _ string, _ func()) error { <-ctx.Done(); return ctx.Err() })
				ctx := t.Context()
				if patience < larder.DefaultCacheTimeout {
					ctx = within(t, patience)
				}
				start := time.Now()
				x, err := s.c.Explain(ctx, "k")
				if d := time.Since(start); d != patience || !errors.Is(err, context.DeadlineExceeded) || !x.InL1 {
					t.Errorf("after %v: %v, %s", d, err, x)
				}
			})
		})
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	c := newCache(t, nil, larder.Options[string, int64]{MaxKeyBytes: 3})
	var e *larder.Error
	if _, err := c.Explain(t.Context(), "long"); !errors.As(err, &e) || e.Op != "explain" || strings.Contains(err.Error(), "long\"") {
		t.Errorf("a key too long: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Explain(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	_ = c.Close()
	if _, err := c.Explain(t.Context(), "k"); !errors.Is(err, larder.ErrClosed) {
		t.Errorf("a closed cache: %v", err)
	}
}

// On a cluster it says where.
func TestExplainInCluster(t *testing.T) {
	t.Parallel()
	c := opener(redistest.SharedCluster(t).URL())(t)
	t.Cleanup(func() { _ = c.Close() })
	cache, err := larder.New(c, larder.Options[int64, string]{
		Namespace: "explain-cluster", TTL: time.Hour, CacheTimeout: 10 * time.Second,
		Tags: func(int64) []string { return []string{"explain-cluster"} },
		Load: func(context.Context, int64) (string, error) { return "secret", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	if _, err := cache.Get(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if err := cache.InvalidateTags(t.Context(), "explain-cluster"); err != nil {
		t.Fatal(err)
	}
	x, err := cache.Explain(t.Context(), 7)
	if err != nil || !strings.Contains(x.Server, "cluster slot") || x.Key != "7" || x.LastInvalidation == nil || x.LastInvalidation.By != hostAndPID() {
		t.Errorf("%v\n%s", err, x)
	}
	if all := x.String() + jsonOf(t, x); strings.Contains(all, "secret") {
		t.Errorf("the value is shown: %s", all)
	}
}
