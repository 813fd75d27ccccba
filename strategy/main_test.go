package strategy_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/strategy"
)

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience bounds every wait.
const patience = time.Minute

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

// engine opens an engine of its own.
func engine(t testing.TB) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// everywhere runs test on the engine, on a Redis and on a cluster, which are empty.
func everywhere(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Run("embedded", func(t *testing.T) { test(t, engine(t)) })
	t.Run("redis", func(t *testing.T) { test(t, dial(t, redistest.Start(t).URL())) })
	t.Run("cluster", func(t *testing.T) { test(t, dial(t, redistest.Cluster(t, 2).URL())) })
}

// registry makes a Registry of a service. It is renewed at no time that a test waits for.
func registry(t testing.TB, c strategy.Conn, o strategy.Options) *strategy.Registry {
	t.Helper()
	if o.Version == "" {
		o.Version = "v1"
	}
	if o.Renew == 0 {
		o.Renew, o.Keep = time.Hour, 24*time.Hour
	}
	r, err := strategy.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func declare(t testing.TB, r *strategy.Registry, s observe.Subject, a strategy.About) {
	t.Helper()
	if err := r.Declare(s, a); err != nil {
		t.Fatal(err)
	}
}

func publish(t testing.TB, r *strategy.Registry) {
	t.Helper()
	if err := r.Publish(soon(t)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, c strategy.Conn) *strategy.Document {
	t.Helper()
	doc, err := strategy.Read(soon(t), c)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// cache is the subject of a cache.
func cache(name string) observe.Subject {
	return observe.Subject{
		Kind: observe.Cache, Name: name, Prefixes: []string{name + ":"}, Pattern: name + ":<int64>", Type: "string", Value: "shop.User",
		TTL: 5 * time.Minute, Bound: time.Second,
	}
}

// complete is what leaves no warning.
var complete = strategy.About{
	Purpose: "profiles", Owner: "accounts", Criticality: strategy.Medium, Why: "they rarely change",
	Staleness: "none after a save", Invalidation: "Users.Save calls Invalidate",
}

// services is "name version×processes …".
func services(doc *strategy.Document) string {
	var parts []string
	for _, s := range doc.Services {
		parts = append(parts, s.Name+" "+s.Version+"×"+string(rune('0'+len(s.Processes))))
	}
	return strings.Join(parts, ", ")
}

// lines is a log.
type lines struct {
	mu sync.Mutex // protects b
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
