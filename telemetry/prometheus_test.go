package telemetry

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
)

func scrape(t *testing.T, tel *Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != contentType {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	return w.Body.String()
}

// Prometheus' own parser reads the page in the module e2e.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	tel := watch(t, nil, Options{Service: `a "quoted" service`})
	var f feature
	f.l1.Store(7)
	f.pending.Store(3)
	tel.Register(f.source("user"))
	tel.Register(f.source("evil\"\\\nname"))
	_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Redis, Name: "127.0.0.1:6379", Verb: "GET"})
	end(errors.New("secret"))
	tel.Record(observe.Cache, "user", waits, 20*time.Microsecond)
	tel.Record(observe.Cache, "user", waits, time.Hour)
	page := scrape(t, tel)
	for _, want := range []string{
		"# HELP larder_cache_hits_total Gets that were answered.\n# TYPE larder_cache_hits_total counter\n",
		`larder_cache_hits_total{larder_namespace="user",larder_tier="l1"} 7` + "\n",
		`larder_cache_hits_total{larder_namespace="evil\"\\\nname",larder_tier="l1"} 7` + "\n",
		"# TYPE larder_cache_pending gauge\n" + `larder_cache_pending{larder_namespace="evil\"\\\nname"} 3` + "\n" + `larder_cache_pending{larder_namespace="user"} 3` + "\n",
		"# TYPE larder_cache_wait_seconds histogram\n" + `larder_cache_wait_seconds_bucket{larder_namespace="user",le="1.6384e-05"} 0` + "\n" +
			`larder_cache_wait_seconds_bucket{larder_namespace="user",le="3.2768e-05"} 1` + "\n",
		`larder_cache_wait_seconds_bucket{larder_namespace="user",le="+Inf"} 2` + "\n" + `larder_cache_wait_seconds_sum{larder_namespace="user"} 3600.00002` + "\n" +
			`larder_cache_wait_seconds_count{larder_namespace="user"} 2` + "\n",
		`db_client_operation_duration_seconds_count{server_address="127.0.0.1",server_port="6379",db_operation_name="GET"} 1` + "\n",
		`larder_redis_operation_errors_total{server_address="127.0.0.1",server_port="6379",larder_operation="GET",error_type="_OTHER"} 1` + "\n",
		`larder_build_info{service="a \"quoted\" service",version=`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(page, "secret") {
		t.Error("an error's text was printed")
	}
	if t.Failed() {
		t.Log(page)
	}
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestPrometheusName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		m    observe.Metric
		want string
	}{
		{observe.Metric{Name: "larder.cache.hits", Unit: "{hit}"}, "larder_cache_hits_total"},
		{observe.Metric{Name: "larder.cache.l1.bytes", Unit: "By", Instrument: observe.Gauge}, "larder_cache_l1_bytes"},
		{observe.Metric{Name: "larder.x", Unit: "By"}, "larder_x_bytes_total"},
		{observe.Metric{Name: "larder.ratio", Unit: "1", Instrument: observe.Gauge}, "larder_ratio"},
		{observe.Metric{Name: "larder.load", Unit: "s", Instrument: observe.Histogram}, "larder_load_seconds"},
		{observe.Metric{Name: "9-lives", Unit: "1"}, "_9_lives_total"},
	} {
		if got := prometheusName(&tt.m); got != tt.want {
			t.Errorf("%s is %s, want %s", tt.m.Name, got, tt.want)
		}
	}
}

// However many names features make up, what is kept stays bounded, and adds up.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := engine(t)
	service := unique(t)
	tel := watch(t, c, Options{Service: service, MaxSubjects: 10})
	var f feature
	f.l1.Store(1)
	const many = 300
	for i := range many {
		name := fmt.Sprintf("name-%d", i)
		tel.Register(f.source(name))
		_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Cache, Name: name, Verb: fmt.Sprintf("verb-%d", i)})
		end(fmt.Errorf("%w: %d", &OptionError{Field: name}, i))
	}
	reasons := &observe.Metric{Name: "larder.cache.misses", Label: "larder.reason"}
	tel.Register(observe.Source{Subject: observe.Subject{Kind: observe.Cache, Name: "name-1"}, Read: func(yield observe.Yield) {
		for i := range many {
			yield(reasons, fmt.Sprintf("reason-%d", i), 1)
		}
	}})
	if err := tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	fl := recent(t, c, service)
	names, labels := map[string]bool{}, map[string]bool{}
	for s := range fl.Each(Key{}) {
		names[s.Name] = true
		if s.Metric == reasons.Name {
			labels[s.Label] = true
		}
	}
	if len(names) > 11 || !names[other] || len(labels) > maxLabels+1 || !labels[other] {
		t.Errorf("%d names, %d labels", len(names), len(labels))
	}
	if got := len(*tel.timers.current.Load()); got > timersPerSubject*10+1 {
		t.Errorf("%d timers", got)
	}
	for metric, want := range map[string]float64{hits.Name: many, reasons.Name: many, failureMetric(observe.Cache).Name: many} {
		if got := fl.Total(Key{Metric: metric}); got != want {
			t.Errorf("%s is %v, want %v", metric, got, want)
		}
	}
	if n := fl.Distribution(Key{}).Count(); n != many {
		t.Errorf("%d durations", n)
	}
}
