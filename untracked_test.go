package larder_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// untracked is a connection to a server without invalidation pushes, whose
// publications can get lost.
type untracked struct {
	conn.Conn
	lose    atomic.Bool // without a sign
	fail    atomic.Bool // with an error
	silence atomic.Bool // refuses Subscribe
	cut     atomic.Pointer[context.CancelFunc]
}

func (*untracked) Tracker() (conn.Tracker, bool) { return nil, false }

func (u *untracked) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	if cmds[0].Name() != "PUBLISH" || !u.lose.Load() && !u.fail.Load() {
		return u.Conn.Pipeline(ctx, cmds...)
	}
	out := make([]conn.Result, len(cmds))
	if u.fail.Load() {
		for i := range out {
			out[i].Err = &conn.Error{Op: "publish", Err: errors.New("lost")}
		}
	}
	return out
}

func (u *untracked) Subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	if u.silence.Load() {
		return &conn.ServerError{Text: "ERR unknown command 'SUBSCRIBE'"}
	}
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	u.cut.Store(&cut)
	return u.Conn.Subscribe(ctx, s, fn)
}

// pair is two caches over connections of their own, one of which invalidates what
// the other remembers. The value is the version.
type pair struct {
	version atomic.Int64
	aConn   *untracked
	bConn   *untracked
	a, b    *larder.Cache[string, int64]
}

func newPair(t *testing.T, bound time.Duration) *pair {
	t.Helper()
	e := newEngine(t)
	p := &pair{aConn: &untracked{Conn: newHook(t, e)}, bConn: &untracked{Conn: newHook(t, e)}}
	o := larder.Options[string, int64]{
		TTL: time.Hour, StalenessBound: bound, CacheTimeout: time.Second,
		Load: func(context.Context, string) (int64, error) { return p.version.Load(), nil },
		Tags: func(string) []string { return []string{"t"} },
	}
	p.a, p.b = newCache(t, p.aConn, o), newCache(t, p.bConn, o)
	synctest.Wait() // subscribed
	return p
}

// remembers makes b remember a key, and fails where it does not.
func (p *pair) remembers(t *testing.T, key string) {
	t.Helper()
	for range 2 {
		p.wantB(t, key, p.version.Load())
	}
	before := p.b.Stats().L1Hits
	p.wantB(t, key, p.version.Load())
	if p.b.Stats().L1Hits != before+1 {
		t.Fatalf("%s is not in L1: %+v", key, p.b.Stats())
	}
}

func (p *pair) wantB(t *testing.T, key string, want int64) {
	t.Helper()
	if got, err := p.b.Get(t.Context(), key); err != nil || got != want {
		t.Fatalf("got version %d, %v, want %d", got, err, want)
	}
}

// ways are all the ways in which a may change what b remembers of "key".
func (p *pair) ways() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Invalidate":       func(ctx context.Context) error { return p.a.Invalidate(ctx, "key") },
		"InvalidatePrefix": func(ctx context.Context) error { return p.a.InvalidatePrefix(ctx, "ke") },
		"InvalidateTags":   func(ctx context.Context) error { return p.a.InvalidateTags(ctx, "t") },
		"Clear":            func(ctx context.Context) error { return p.a.Clear(ctx) },
		"Set":              func(ctx context.Context) error { return p.a.Set(ctx, "key", p.version.Load()) },
		"WriteThrough": func(ctx context.Context) error {
			return p.a.WriteThrough(ctx, "key", func(context.Context) (int64, error) { return p.version.Load(), nil })
		},
		"InvalidateTags by who has no cache": func(ctx context.Context) error {
			return larder.InvalidateTags(ctx, &untracked{Conn: p.aConn.Conn}, "t")
		},
		"InvalidateTags over the connection": func(ctx context.Context) error {
			return larder.InvalidateTags(ctx, p.aConn, "t")
		},
	}
}

// The bound is an hour here: what arrives does so by the backplane.
func TestBackplaneTellsOfEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, time.Hour)
		for name, way := range p.ways() {
			p.remembers(t, "key")
			p.version.Add(1)
			if err := way(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			time.Sleep(5 * time.Millisecond)
			if got, err := p.b.Get(t.Context(), "key"); err != nil || got != p.version.Load() {
				t.Errorf("%s: another process is served %d, %v, want %d", name, got, err, p.version.Load())
			}
		}
	})
}

// Every message gets lost, and nobody notices.
func TestLostMessagesAreBoundedByStalenessBound(t *testing.T) {
	const bound = 600 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, bound)
		p.aConn.lose.Store(true)
		stale := 0
		for name, way := range p.ways() {
			if strings.Contains(name, "no cache") {
				continue // its messages do not get lost
			}
			time.Sleep(2 * bound)
			p.remembers(t, "key") // also the generations
			time.Sleep(bound / 2)
			p.version.Add(1)
			if err := way(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			begun := time.Now()
			for {
				v, err := p.b.Get(t.Context(), "key")
				if err != nil {
					t.Fatal(err)
				}
				if v == p.version.Load() {
					break
				}
				stale++
				// Entry and generations were read half the bound before.
				if d := time.Since(begun); d > bound/2 {
					t.Fatalf("%s: served the old value %v after it was invalidated, %v after it was read", name, d, d+bound/2)
				}
				time.Sleep(time.Millisecond)
			}
		}
		if stale == 0 {
			t.Error("no message got lost: the test shows nothing")
		}
	})
}

// A tag's generation was learnt with one entry and vouches for another one that is
// read later: it does not get older by that.
func TestGenerationsKnownOverTheBackplaneEnd(t *testing.T) {
	const bound = 600 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, bound)
		p.aConn.lose.Store(true)
		p.remembers(t, "first")
		time.Sleep(bound / 2)
		p.remembers(t, "second")
		p.version.Add(1)
		if err := p.a.InvalidateTags(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		p.wantB(t, "second", 0) // which the promise allows
		time.Sleep(bound/2 + 1)
		p.wantB(t, "second", 1)
	})
}

func TestLostSubscriptionEmptiesL1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, time.Hour)
		p.remembers(t, "key")
		p.aConn.lose.Store(true)
		p.version.Add(1)
		if err := p.a.Invalidate(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		p.wantB(t, "key", 0)
		(*p.bConn.cut.Load())()
		synctest.Wait()
		p.wantB(t, "key", 1)
		time.Sleep(time.Second)
		p.remembers(t, "key") // subscribed again
	})
}

// An answer that took its time shows what was there when it was asked for, at best.
func TestBoundCountsFromTheQuestion(t *testing.T) {
	const bound = 600 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, bound)
		p.aConn.lose.Store(true)
		if _, err := p.a.Get(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		p.bConn.Conn.(*hook).on(func(_ context.Context, op string, run func()) error {
			run()
			if op == "GET" {
				once.Do(func() { time.Sleep(bound / 2) })
			}
			return nil
		})
		p.wantB(t, "key", 0)
		p.remembers(t, "key")
		p.version.Add(1)
		if err := p.a.Invalidate(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		p.wantB(t, "key", 0) // which the promise allows
		time.Sleep(bound/2 + 1)
		p.wantB(t, "key", 1)
	})
}

// The invalidation reaches Redis late, by the queue, and others by the backplane.
func TestPendingInvalidationsArePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, time.Hour)
		p.remembers(t, "key")
		p.version.Add(1)
		hook := p.aConn.Conn.(*hook)
		hook.on(func(context.Context, string, func()) error { return errDown })
		if err := p.a.Invalidate(t.Context(), "key"); !errors.Is(err, larder.ErrInvalidationPending) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(10 * time.Millisecond) // what was said too early has arrived
		p.remembers(t, "other")
		hook.on(nil)
		time.Sleep(5 * time.Second)
		p.wantB(t, "key", 1)
	})
}

func TestFailedPublicationFailsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, time.Second)
		p.remembers(t, "key")
		p.aConn.fail.Store(true)
		p.version.Add(1)
		if err := p.a.Invalidate(t.Context(), "key"); err != nil {
			t.Errorf("Invalidate: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
		if n := p.a.Stats().Unpublished; n != 1 {
			t.Errorf("%d counted, want 1", n)
		}
		time.Sleep(time.Second)
		p.wantB(t, "key", 1)
	})
}

// Where neither pushes nor messages can be had L1 is of no use, and of no harm.
func TestServerWithoutSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &untracked{Conn: newHook(t, newEngine(t))}
		u.silence.Store(true)
		c := newCache(t, u, larder.Options[string, int64]{Load: always(1)})
		for range 100 {
			if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
				t.Fatal(v, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if s := c.Stats(); s.L1Hits != 0 || s.L2Hits != 99 || s.Loads != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestL1TTLWithoutTracking(t *testing.T) {
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for name, tt := range map[string]struct {
		l1TTL, bound time.Duration
		l1           int64
		refused      string
	}{
		"default":                 {},
		"at the bound":            {l1TTL: larder.DefaultStalenessBound},
		"over the default bound":  {l1TTL: larder.DefaultStalenessBound + 1, refused: "(1s)"},
		"over a bound":            {l1TTL: 3 * time.Second, bound: 2 * time.Second, refused: "(2s)"},
		"no L1, so it is no harm": {l1TTL: time.Hour, l1: -1},
	} {
		t.Run(name, func(t *testing.T) {
			cache, err := larder.New(&untracked{Conn: c}, larder.Options[string, int]{
				Namespace: "n", TTL: time.Minute, L1TTL: tt.l1TTL, StalenessBound: tt.bound, L1MaxBytes: tt.l1,
			})
			if err == nil {
				defer func() { _ = cache.Close() }()
			}
			oe, ok := errors.AsType[*larder.OptionError](err)
			if ok != (tt.refused != "") || !ok && err != nil {
				t.Fatalf("got %v", err)
			}
			if ok && (oe.Field != "L1TTL" || !strings.Contains(err.Error(), "StalenessBound "+tt.refused)) {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

// Without pushes and without L1 nothing is remembered in the process: every Get asks Redis for
// the value and for its generations.
func TestServerWithoutTrackingAndNoL1(t *testing.T) {
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	version := 0
	open := func() *larder.Cache[string, int] {
		c, err := larder.New(&untracked{Conn: engine.Connect()}, larder.Options[string, int]{
			Namespace: "n", TTL: time.Minute, L1MaxBytes: -1,
			Load: func(context.Context, string) (int, error) { return version, nil },
			Tags: func(string) []string { return []string{"t"} },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	a, b := open(), open()
	for i, invalidate := range []func() error{
		func() error { return nil },
		func() error { return a.Invalidate(t.Context(), "k") },
		func() error { return a.InvalidateTags(t.Context(), "t") },
		func() error { return a.Clear(t.Context()) },
		func() error { return a.InvalidatePrefix(t.Context(), "k") },
	} {
		version = i
		if err := invalidate(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*larder.Cache[string, int]{b, a, b} {
			if got, err := c.Get(t.Context(), "k"); err != nil || got != i {
				t.Errorf("step %d: got %d, %v", i, got, err)
			}
		}
	}
}
