package larder_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// The files scripted_*_test.go hold the cache to its promises, a file for each,
// over a server that fails by script and in fake time: see package scripted. P7
// is checked after each of their tests.

// onScript runs test in a bubble with a scripted server. Afterwards every key of
// it has an expiry, and no goroutine is left: the bubble does not end before.
func onScript(t *testing.T, test func(t *testing.T, s *scripted.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		t.Cleanup(func() { mustExpire(t, e) })
		test(t, newServer(t, e))
	})
}

// onTwoScripts gives two processes an engine and a server each to reach it by, so
// that what befalls the one does not befall the other.
func onTwoScripts(t *testing.T, test func(t *testing.T, e *embedded.Engine, a, b *scripted.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		t.Cleanup(func() { mustExpire(t, e) })
		test(t, e, newServer(t, e), newServer(t, e))
	})
}

func newServer(t *testing.T, e *embedded.Engine) *scripted.Server {
	t.Helper()
	s := scripted.New(e)
	t.Cleanup(s.Close)
	return s
}

// mustExpire checks that every key has an expiry (P7).
func mustExpire(t *testing.T, e *embedded.Engine) {
	t.Helper()
	c, ctx := e.Connect(), context.Background() // the test's own has ended
	err := c.Scan(ctx, "*", func(keys []string) error {
		for _, key := range keys {
			if v, err := c.Do(ctx, conn.Key("PTTL", key)); err != nil || v.Int == -1 {
				t.Errorf("%s has no expiry: %d, %v", key, v.Int, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// connect opens a connection to s as an application does.
func connect(t *testing.T, s *scripted.Server, o redisconn.Options) conn.Conn {
	t.Helper()
	o.Dial = s.Dial
	c, err := redisconn.Open(t.Context(), scripted.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// elapse lets fake time pass, and what is due in it happen.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// An original holds one version, of which every key is a copy.
type original struct{ version, loads atomic.Int64 }

func newOriginal(version int64) *original {
	s := &original{}
	s.version.Store(version)
	return s
}

func (s *original) load(context.Context, string) (int64, error) {
	s.loads.Add(1)
	return s.version.Load(), nil
}

// options are those of a cache over s whose entries all have the tag "tag".
func (s *original) options() larder.Options[string, int64] {
	return larder.Options[string, int64]{
		Load: s.load, TTL: time.Hour, Jitter: -1,
		Tags: func(string) []string { return []string{"tag"} },
	}
}

// wants gets key and compares.
func wants(t *testing.T, c *larder.Cache[string, int64], key string, want int64) {
	t.Helper()
	if v, err := c.Get(t.Context(), key); v != want || err != nil {
		t.Errorf("%s: got %d, %v, want %d", key, v, err, want)
	}
}

// warm has c hold key in the process. A push that belongs to the load may come
// after it and drop the value once.
func warm(t *testing.T, c *larder.Cache[string, int64], key string, want int64) {
	t.Helper()
	for range 2 {
		wants(t, c, key, want)
		synctest.Wait()
	}
	before := c.Stats().L1Hits
	wants(t, c, key, want)
	if c.Stats().L1Hits == before {
		t.Fatalf("%s is not held in the process", key)
	}
}

// A trouble is a way for a server to fail as a whole.
type trouble func(*scripted.Server) (mend func())

// by makes a trouble of a fault, after which all connections are cut where cut is set.
func by(f scripted.Fault, cut bool) trouble {
	return func(s *scripted.Server) func() {
		mend := s.Break(f)
		if cut {
			s.Cut()
		}
		synctest.Wait()
		return mend
	}
}

var troubles = map[string]trouble{
	"frozen":             by(scripted.Fault{Kind: scripted.Freeze}, false),
	"executes, mute":     by(scripted.Fault{Kind: scripted.Mute}, false),
	"half answers":       by(scripted.Fault{Kind: scripted.Half}, false),
	"10s late":           by(scripted.Fault{Kind: scripted.Delay, By: 10 * time.Second}, false),
	"dies at a command":  by(scripted.Fault{Kind: scripted.Die}, false),
	"dies answering":     by(scripted.Fault{Kind: scripted.DieAnswering}, false),
	"dead":               by(scripted.Fault{Kind: scripted.Refuse}, true),
	"accepts, no answer": by(scripted.Fault{Kind: scripted.Freeze}, true),
	"unreachable":        by(scripted.Fault{Kind: scripted.Hang}, true),
}

// eachTrouble runs test for every trouble.
func eachTrouble(t *testing.T, test func(t *testing.T, s *scripted.Server, strike func() (mend func()))) {
	t.Helper()
	for name, strike := range troubles {
		t.Run(name, func(t *testing.T) {
			onScript(t, func(t *testing.T, s *scripted.Server) {
				test(t, s, func() func() { return strike(s) })
			})
		})
	}
}

// An operation is a call of a cache that speaks with Redis.
type operation struct {
	call func(ctx context.Context, c *larder.Cache[string, int64]) error
	// invalidates: it may not return nil without having been delivered.
	invalidates bool
}

var operations = map[string]operation{
	"Get": {call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		_, err := c.Get(ctx, "new")
		return err
	}},
	"GetMany": {call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		_, err := c.GetMany(ctx, []string{"new", "newer"})
		return err
	}},
	"Warm": {call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		_, err := c.Warm(ctx, func(yield func(string) bool) { _ = yield("new") && yield("newer") }, larder.WarmOptions{})
		return err
	}},
	"Set": {invalidates: true, call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		return c.Set(ctx, "k", 2)
	}},
	"Invalidate": {invalidates: true, call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		return c.Invalidate(ctx, "k", "other")
	}},
	"InvalidateTags": {invalidates: true, call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		return c.InvalidateTags(ctx, "tag")
	}},
	"InvalidatePrefix": {invalidates: true, call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		return c.InvalidatePrefix(ctx, "k")
	}},
	"Clear": {invalidates: true, call: func(ctx context.Context, c *larder.Cache[string, int64]) error {
		return c.Clear(ctx)
	}},
}

// executes selects the script that scriptName knows by name.
func executes(name string) func(scripted.Exchange) bool {
	return func(x scripted.Exchange) bool {
		return x.Script != "" && scriptName(conn.NewScript(x.Script)) == name
	}
}
