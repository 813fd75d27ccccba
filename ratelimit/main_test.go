package ratelimit

import (
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// onEach runs a test on the embedded engine, a Redis and a cluster.
func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		c, err := embedded.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		test(t, c)
	})
	t.Run("redis", func(t *testing.T) { test(t, dial(t, redistest.Shared(t).URL())) })
	t.Run("cluster", func(t *testing.T) { test(t, dial(t, redistest.SharedCluster(t).URL())) })
}

func dial(t testing.TB, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// vectorTime is the time of the vectors of the wire format.
const vectorTime = 1700000030000

// fakeClock is an Options.Clock that stands still.
type fakeClock struct{ ms atomic.Int64 }

func newClock(ms int64) *fakeClock {
	c := &fakeClock{}
	c.ms.Store(ms)
	return c
}

func (c *fakeClock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *fakeClock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// prefixes are those of the tests, which are run again and again on the same servers
// with -count.
var prefixes sync.Map

// prefixOf is a prefix that no other test, and no other run of this one, uses.
func prefixOf(t testing.TB) string {
	if p, ok := prefixes.Load(t); ok {
		return p.(string)
	}
	name := strings.NewReplacer(" ", "_", "{", "", "}", "").Replace(t.Name())
	p, _ := prefixes.LoadOrStore(t, name+"-"+rand.Text())
	return p.(string)
}

// limiter makes a limiter with the test's prefix that waits long enough for any
// server of a test.
func limiter(t testing.TB, c conn.Conn, o Options) *Limiter {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = prefixOf(t)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	o.Local = c == nil
	l, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func do(t testing.TB, c conn.Conn, name, key string, args ...string) conn.Value {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key(name, key, args...))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// limit is Limit without an error.
func limit(t testing.TB, l *Limiter, id string, opts ...CallOption) Decision {
	t.Helper()
	d, err := l.Limit(t.Context(), id, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
