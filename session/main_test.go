package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/session"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// patience bounds every wait.
const patience = 30 * time.Second

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func dial(t testing.TB, url string) conn.Conn {
	t.Helper()
	// A loaded machine is not a fault.
	c, err := redisconn.Open(soon(t), url, redisconn.Options{SilenceTimeout: patience, CutTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// everywhere runs test on the engine, on Redis and on a cluster.
func everywhere(t *testing.T, test func(t *testing.T, open func(testing.TB) conn.Conn)) {
	for name, start := range map[string]func(*testing.T) func(testing.TB) conn.Conn{
		"embedded": func(t *testing.T) func(testing.TB) conn.Conn {
			engine, err := embedded.New(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = engine.Close() })
			return func(testing.TB) conn.Conn { return engine.Connect() }
		},
		"redis": func(t *testing.T) func(testing.TB) conn.Conn {
			url := redistest.Shared(t).URL()
			return func(t testing.TB) conn.Conn { return dial(t, url) }
		},
		"cluster": func(t *testing.T) func(testing.TB) conn.Conn {
			url := redistest.SharedCluster(t).URL()
			return func(t testing.TB) conn.Conn { return dial(t, url) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

type cart struct {
	Items int
	Name  string
}

// namespace is one that no other test uses.
func namespace() string { return fmt.Sprintf("s%016x", rand.Uint64()) }

// store makes a store, in a namespace of its own where o has none.
func store(t testing.TB, c conn.Conn, o session.Options) *session.Store[cart] {
	t.Helper()
	if o.Namespace == "" {
		o.Namespace = namespace()
	}
	s, err := session.New[cart](c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func create(t testing.TB, s *session.Store[cart], user string, data cart) session.Session[cart] {
	t.Helper()
	out, err := s.Create(soon(t), user, data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// has checks that a session is there with these items.
func has(t testing.TB, s *session.Store[cart], id session.ID, items int) {
	t.Helper()
	got, err := s.Get(soon(t), id)
	if err != nil || got.Data.Items != items || got.ID != id {
		t.Fatalf("%d items, %v; want %d", got.Data.Items, err, items)
	}
}

func gone(t testing.TB, s *session.Store[cart], id session.ID) {
	t.Helper()
	if got, err := s.Get(soon(t), id); !errors.Is(err, session.ErrNotFound) {
		t.Fatalf("session %+v, %v; want ErrNotFound", got, err)
	}
}

// keys returns all keys of a namespace and checks that they expire.
func keys(t testing.TB, c conn.Conn, ns string) (all []string) {
	t.Helper()
	err := c.Scan(soon(t), ns+":*", func(keys []string) error {
		for _, key := range keys {
			v, err := c.Do(soon(t), conn.Key("PTTL", key))
			if err != nil {
				return err
			}
			if v.Int == -1 {
				t.Errorf("%s has no expiry", key)
			}
		}
		all = append(all, keys...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cuttable is a connection that can be cut.
type cuttable struct {
	conn.Conn
	cut   atomic.Bool
	after func() // called when a tracked read has its reply
}

var errCut = &conn.Error{Op: "test", Err: errors.New("cut")}

func (c *cuttable) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if c.cut.Load() {
		return conn.Value{}, errCut
	}
	return c.Conn.Do(ctx, cmd)
}

func (c *cuttable) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	if !c.cut.Load() {
		return c.Conn.Pipeline(ctx, cmds...)
	}
	out := make([]conn.Result, len(cmds))
	for i := range out {
		out[i].Err = errCut
	}
	return out
}

func (c *cuttable) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	if c.cut.Load() {
		return conn.Value{}, errCut
	}
	return c.Conn.Eval(ctx, s, keys, args)
}

// Tracker reads over the connection that can be cut.
func (c *cuttable) Tracker() (conn.Tracker, bool) {
	t, ok := c.Conn.Tracker()
	return &cuttableTracker{t, c}, ok
}

type cuttableTracker struct {
	conn.Tracker
	of *cuttable
}

func (c *cuttableTracker) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	if c.of.cut.Load() {
		return c.of.Pipeline(ctx, cmds...)
	}
	return c.Tracker.Pipeline(ctx, cmds...)
}

func (c *cuttableTracker) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if c.of.cut.Load() {
		return conn.Value{}, errCut
	}
	v, err := c.Tracker.Do(ctx, cmd)
	if c.of.after != nil {
		c.of.after()
	}
	return v, err
}

func contains(list []string, part string) bool {
	for _, s := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
