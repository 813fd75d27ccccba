package telemetry_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/session"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/telemetry"
)

var update = flag.Bool("update", false, "write the table of docs/telemetry.md")

// features are all that declare metrics.
var features = []struct {
	kind    observe.Kind
	metrics []*observe.Metric
}{
	{observe.Cache, larder.Metrics()},
	{observe.Limiter, ratelimit.Metrics()},
	{observe.Session, session.Metrics()},
	{observe.Topic, event.Metrics()},
	{observe.SQL, sqlcache.Metrics()},
	{observe.Gateway, gateway.Metrics()},
	{observe.Redis, redisconn.Metrics()},
}

// page is what Prometheus gets of a process in which everything has happened.
func page(t *testing.T) string {
	t.Helper()
	tel, err := telemetry.New(nil, telemetry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tel.Close(t.Context()) }()
	for _, f := range features {
		tel.Register(observe.Source{
			Subject: observe.Subject{Kind: f.kind, Name: "example:1"}, Metrics: f.metrics,
			Read: func(yield observe.Yield) {
				for _, m := range f.metrics {
					if m.Instrument != observe.Histogram {
						label := ""
						if m.Label != "" {
							label = "value"
						}
						yield(m, label, 1)
					}
				}
			},
		})
		for _, m := range f.metrics {
			if m.Instrument == observe.Histogram {
				tel.Record(f.kind, "example:1", m, time.Millisecond)
			}
		}
		_, end := tel.Begin(t.Context(), observe.Operation{Kind: f.kind, Name: "example:1", Verb: "verb"})
		end(context.DeadlineExceeded)
	}
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

var (
	helpLine   = regexp.MustCompile(`(?m)^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n\S+?\{(.*)\} \S+$`)
	labelName  = regexp.MustCompile(`(\w+)="`)
	dotted     = regexp.MustCompile(`= "((?:larder|db|http)\.[a-z0-9_.]+)"`)
	identifier = regexp.MustCompile(`\b(larder|db|http)_[a-z0-9_]+\b`)
)

const tableBegin, tableEnd = "<!-- metrics: written by go test ./telemetry -update -->\n", "<!-- end of metrics -->"

// The table of docs/telemetry.md is that of the metrics that there are.
func TestTableOfMetrics(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("\n| name | type | labels | what |\n|---|---|---|---|\n")
	for _, m := range helpLine.FindAllStringSubmatch(page(t), -1) {
		var labels []string
		for _, l := range labelName.FindAllStringSubmatch(m[4], -1) {
			if l[1] != "le" {
				labels = append(labels, "`"+l[1]+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m[1], m[3], strings.Join(labels, ", "), strings.TrimSuffix(m[2], "."))
	}
	b.WriteByte('\n')
	name := filepath.Join("..", "docs", "telemetry.md")
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(src), tableBegin)
	table, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", name)
	}
	if *update {
		if err := os.WriteFile(name, []byte(before+tableBegin+b.String()+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != b.String() {
		t.Errorf("the table of %s is out of date: run go test ./telemetry -run Table -update\n%s", name, b.String())
	}
}

// Every metric and every label that the dashboard and the alert rules name exists.
func TestDashboardAndAlertsNameWhatExists(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{"larder_namespace": true}
	for _, name := range identifier.FindAllString(page(t), -1) {
		exists[name] = true
	}
	for _, file := range []string{"grafana.json", "alerts.yaml"} {
		src, err := os.ReadFile(filepath.Join("..", "docs", "telemetry", file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(src) {
			t.Errorf("%s is no JSON", file)
		}
		names := identifier.FindAllString(string(src), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if !exists[name] {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

// So does every one that larder top and the dashboard read.
func TestReadersNameWhatExists(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{"db.client.operation.duration": true, "http.server.request.duration": true}
	for _, f := range features {
		exists["larder."+string(f.kind)+".operation.duration"] = true
		for _, m := range f.metrics {
			exists[m.Name] = true
		}
	}
	for _, file := range []string{"dashboard/metric.go", "internal/top/summary.go"} {
		src, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		names := dotted.FindAllStringSubmatch(string(src), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, m := range names {
			if !exists[m[1]] {
				t.Errorf("%s names %s, which nothing counts under", file, m[1])
			}
		}
	}
}
