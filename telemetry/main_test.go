package telemetry

import (
	"crypto/rand"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) {
	if redistest.Role() == childRole {
		if err := child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Run(m))
}

// onEach runs a test on the engine, a Redis and a cluster.
func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, engine(t)) })
	for name, url := range map[string]func(t *testing.T) string{
		"redis":   func(t *testing.T) string { return redistest.Start(t).URL() },
		"cluster": func(t *testing.T) string { return redistest.SharedCluster(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, url(t)))
		})
	}
}

func engine(t testing.TB) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(t testing.TB, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// watch returns a Telemetry that flushes when it is told to.
func watch(t testing.TB, c conn.Pipeliner, o Options) *Telemetry {
	t.Helper()
	if o.FlushEvery == 0 {
		o.FlushEvery = time.Minute
	}
	tel, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Close(t.Context()) })
	return tel
}

// The metrics of the tests.
var (
	hits    = &observe.Metric{Name: "larder.cache.hits", Unit: "{hit}", Help: "Gets that were answered.", Label: "larder.tier"}
	pending = &observe.Metric{Name: "larder.cache.pending", Unit: "{invalidation}", Help: "Invalidations that wait.", Instrument: observe.Gauge}
	waits   = &observe.Metric{Name: "larder.cache.wait", Unit: "s", Help: "Time spent waiting.", Instrument: observe.Histogram}
)

// feature is a cache that does nothing but count.
type feature struct{ l1, l2, pending atomic.Int64 }

func (f *feature) source(name string) observe.Source {
	return observe.Source{
		Subject: observe.Subject{Kind: observe.Cache, Name: name},
		Metrics: []*observe.Metric{hits, pending, waits},
		Read: func(yield observe.Yield) {
			yield(hits, "l1", float64(f.l1.Load()))
			yield(hits, "l2", float64(f.l2.Load()))
			yield(pending, "", float64(f.pending.Load()))
		},
	}
}

// unique names the service of one run of a test: servers are shared.
func unique(t testing.TB) string { return t.Name() + "/" + rand.Text()[:6] }

// recent reads the last minutes of a service.
func recent(t testing.TB, c conn.Pipeliner, service string) *Fleet {
	t.Helper()
	r, err := NewReader(c, ReaderOptions{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Read(t.Context(), time.Now().Add(-10*time.Minute), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
