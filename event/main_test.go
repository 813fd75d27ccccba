package event_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
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

type order struct {
	N    int
	Name string
}

// name is one that no other test uses.
func name() string { return fmt.Sprintf("t%016x", rand.Uint64()) }

func topic[T any](t testing.TB, c conn.Conn, name string, o event.Options) *event.Topic[T] {
	t.Helper()
	out, err := event.NewTopic[T](c, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	return out
}

func subscribe[T any](t testing.TB, to *event.Topic[T], options ...event.SubscribeOption) *event.Subscription[T] {
	t.Helper()
	s, err := to.Subscribe(context.Background(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func publish[T any](t testing.TB, to *event.Topic[T], v T, options ...event.PublishOption) string {
	t.Helper()
	id, err := to.Publish(soon(t), v, options...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// next returns the next message, which must be one.
func next[T any](t testing.TB, s *event.Subscription[T]) event.Message[T] {
	t.Helper()
	m, err := s.Next(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// gap waits for a GapError.
func gap[T any](t testing.TB, s *event.Subscription[T]) *event.GapError {
	t.Helper()
	m, err := s.Next(soon(t))
	var g *event.GapError
	if !errors.As(err, &g) {
		t.Fatalf("%+v, %v, want a gap", m, err)
	}
	return g
}

// numbers checks that the next messages are these.
func numbers(t testing.TB, s *event.Subscription[order], want ...int) {
	t.Helper()
	for _, n := range want {
		if m := next(t, s); m.Data.N != n {
			t.Fatalf("message %d, want %d of %v", m.Data.N, n, want)
		}
	}
}

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	ctx := soon(t)
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
