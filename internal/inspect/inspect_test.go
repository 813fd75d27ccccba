package inspect_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// onEach runs a test on the embedded engine and on a real Redis.
func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		c, err := embedded.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		test(t, c)
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, dial(t, redistest.Shared(t).URL()))
	})
}

func dial(t *testing.T, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// user is what the caches of these tests hold.
type user struct {
	Name string `json:"name"`
}

// source is a loader that a test can hold and let fail.
type source struct {
	err     error
	started chan struct{}
	hold    chan struct{}
}

func (s *source) load(ctx context.Context, _ string) (user, error) {
	if s.started != nil {
		select {
		case s.started <- struct{}{}:
		case <-s.hold: // a later load
		}
		select {
		case <-s.hold:
		case <-ctx.Done():
		}
	}
	return user{"Ada"}, s.err
}

// scene is a cache and its source.
type scene struct {
	t     *testing.T
	c     conn.Conn
	ns    string
	src   *source
	users *larder.Cache[string, user]
	seen  *inspect.Report // of a state that does not last
}

// open makes a cache whose namespace has no entry "42" yet.
func open(t *testing.T, c conn.Conn, ns string, change func(*larder.Options[string, user])) *scene {
	t.Helper()
	s := &scene{t: t, c: c, ns: ns, src: &source{}}
	o := larder.Options[string, user]{
		Namespace: ns, TTL: time.Hour, StaleFor: 24 * time.Hour, Jitter: -1, Load: s.src.load,
		Tags:         func(string) []string { return []string{ns + "/users", ns + "/x"} },
		CacheTimeout: 10 * time.Second, // of a machine that does much else
	}
	if change != nil {
		change(&o)
	}
	s.must("UNLINK", ns+":42")
	users, err := larder.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	s.users = users
	t.Cleanup(func() { _ = users.Close() })
	return s
}

func (s *scene) must(name, key string, args ...string) conn.Value {
	s.t.Helper()
	v, err := s.c.Do(s.t.Context(), conn.Key(name, key, args...))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *scene) get() {
	s.t.Helper()
	if _, err := s.users.Get(s.t.Context(), "42"); !errors.Is(err, s.src.err) {
		s.t.Fatal(err)
	}
}

func (s *scene) explain() inspect.Report {
	s.t.Helper()
	rep, err := inspect.Explain(s.t.Context(), s.c, s.ns, "42")
	if err != nil {
		s.t.Fatal(err)
	}
	return rep
}

// until explains until the report is as wanted, and returns it.
func (s *scene) until(want func(inspect.Report) bool) inspect.Report {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for {
		rep, err := inspect.Explain(ctx, s.c, s.ns, "42")
		if err != nil {
			s.t.Fatalf("waiting: %v", err)
		}
		if want(rep) {
			return rep
		}
	}
}

// shortFresh makes values stale at once. L1 would look at a coarse clock.
func shortFresh(o *larder.Options[string, user]) { o.TTL, o.L1MaxBytes = time.Millisecond, -1 }

const (
	revision  = 3
	validator = `"etag of Ada"`
)

// revised makes values that have a revision.
func revised(o *larder.Options[string, user]) {
	o.Revision = func(user) uint64 { return revision }
}

func isStale(r inspect.Report) bool { return r.State == inspect.Stale }

// holding makes the loader wait until the test ends.
func (s *scene) holding() {
	s.src.started, s.src.hold = make(chan struct{}), make(chan struct{})
}

// invalidateBelow leaves a tombstone.
func (s *scene) invalidateBelow(revision uint64) {
	s.t.Helper()
	if err := s.users.InvalidateBelow(s.t.Context(), "42", revision); err != nil {
		s.t.Fatal(err)
	}
}

// writing begins a WriteThrough that ends with the test.
func (s *scene) writing() {
	done, begun, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.users.WriteThrough(context.Background(), "42", func(ctx context.Context) (user, error) {
			close(begun)
			select {
			case <-end:
			case <-ctx.Done():
			}
			return user{"Ada"}, nil
		})
	}()
	<-begun
	s.t.Cleanup(func() {
		close(end)
		<-done
	})
}

// clock is the server's, in milliseconds.
func (s *scene) clock() time.Time {
	s.t.Helper()
	v, err := s.c.Do(s.t.Context(), conn.Cmd("TIME"))
	if err != nil {
		s.t.Fatal(err)
	}
	seconds, err1 := v.Elems[0].Int64()
	micros, err2 := v.Elems[1].Int64()
	if err := errors.Join(err1, err2); err != nil {
		s.t.Fatal(err)
	}
	return time.UnixMilli(seconds*1000 + micros/1000)
}

// getHeld starts a Get and returns when its load runs.
func (s *scene) getHeld() {
	done, begun := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for { // by the cache's idea of the server's clock the value may still be fresh
			_, _ = s.users.Get(context.Background(), "42")
			select {
			case <-begun:
				return
			default:
			}
		}
	}()
	<-s.src.started
	close(begun)
	// Before the cache and the connection are closed.
	s.t.Cleanup(func() {
		close(s.src.hold)
		<-done
	})
}
