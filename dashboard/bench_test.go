package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/telemetry"
)

// keysVariable is how many keys the benchmark of pages fills Redis with.
const keysVariable = "LARDER_DASHBOARD_KEYS"

// BenchmarkPage is the time that the server takes for a page over many keys and 500
// namespaces, each with figures, once those have been read:
//
//	LARDER_DASHBOARD_KEYS=1000000 go test -run '^$' -bench Page -benchtime 20x ./dashboard
func BenchmarkPage(b *testing.B) {
	keys := 20_000
	if n, err := strconv.Atoi(os.Getenv(keysVariable)); err == nil {
		keys = n
	}
	const namespaces = 500
	c, err := redisconn.Open(b.Context(), redistest.Start(b).URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	fill(b, c, keys, namespaces)
	report(b, c, namespaces)
	d, err := New(c, Options{Token: testToken, Timeout: time.Minute, Refresh: 100 * time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close() })
	cookie := d.visits.cookie(d.visits.begin(time.Now()), false)
	for _, page := range []string{"/", "/namespaces", "/namespace?name=ns7", "/keys", "/keys?prefix=ns7%3A", "/keys?prefix=none", "/key?key=ns7%3A7", "/tags", "/events"} {
		b.Run("path="+page, func(b *testing.B) {
			get := func() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, page, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.AddCookie(cookie)
				w := httptest.NewRecorder()
				d.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%d\n%s", w.Code, w.Body)
				}
			}
			var slowest time.Duration
			for b.Loop() {
				// Each reads anew, as the page of the first who comes does.
				d.watch.mu.Lock()
				d.watch.rest = 0
				d.watch.mu.Unlock()
				began := time.Now()
				get()
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(slowest)/1e6, "slowest-ms")
		})
	}
}

// fill stores small values, each with an expiry.
func fill(b *testing.B, c conn.Conn, keys, namespaces int) {
	b.Helper()
	const batch = 5000
	for from := 0; from < keys; from += batch {
		cmds := make([]conn.Command, 0, batch)
		for i := from; i < min(from+batch, keys); i++ {
			cmds = append(cmds, conn.Key("SET", fmt.Sprintf("ns%d:%d", i%namespaces, i/namespaces), "0123456789abcdef", "EX", "3600"))
		}
		for _, r := range c.Pipeline(b.Context(), cmds...) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
}

// report writes what a process with so many caches tells of a minute.
func report(b *testing.B, c conn.Conn, namespaces int) {
	b.Helper()
	tel, err := telemetry.New(c, telemetry.Options{Service: "shop"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = tel.Close(context.Background()) })
	metrics := map[string][]string{
		metricHits: {"l1", "l2"}, metricMisses: {"absent", "expired", "tag"}, metricLoads: {""}, metricFills: {""},
		metricInvalidated: {""}, metricPushes: {""}, metricCoalesced: {""}, metricStale: {""},
	}
	var all []*observe.Metric
	for name := range metrics {
		all = append(all, &observe.Metric{Name: name, Unit: "1", Label: "label"})
	}
	for i := range namespaces {
		name := fmt.Sprintf("ns%d", i)
		tel.Register(observe.Source{
			Subject: observe.Subject{Kind: observe.Cache, Name: name}, Metrics: all,
			Read: func(yield observe.Yield) {
				for _, m := range all {
					for j, label := range metrics[m.Name] {
						yield(m, label, float64(1000*i+100*j+len(m.Name)))
					}
				}
			},
		})
		for _, verb := range []string{verbRead, verbLoad, verbFill} {
			_, end := tel.Begin(b.Context(), observe.Operation{Kind: observe.Cache, Name: name, Verb: verb})
			end(nil)
		}
	}
	if err := tel.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}
