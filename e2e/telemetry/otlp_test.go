package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	metricsv1 "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// receiver is an OTLP receiver over HTTP.
type receiver struct {
	mu      sync.Mutex // protects the following
	spans   map[string]*tracev1.Span
	metrics map[string]*metricsv1.Metric
	err     error
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	var answer proto.Message
	switch r.URL.Path {
	case "/v1/traces":
		var req tracepb.ExportTraceServiceRequest
		err = errors.Join(err, proto.Unmarshal(body, &req))
		for _, rs := range req.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				for _, s := range ss.GetSpans() {
					rc.spans[s.GetName()] = s
				}
			}
		}
		answer = &tracepb.ExportTraceServiceResponse{}
	case "/v1/metrics":
		var req metricspb.ExportMetricsServiceRequest
		err = errors.Join(err, proto.Unmarshal(body, &req))
		for _, rm := range req.GetResourceMetrics() {
			for _, sm := range rm.GetScopeMetrics() {
				for _, m := range sm.GetMetrics() {
					rc.metrics[m.GetName()] = m
				}
			}
		}
		answer = &metricspb.ExportMetricsServiceResponse{}
	default:
		err = fmt.Errorf("unexpected %s", r.URL.Path)
	}
	if err != nil {
		rc.err = err
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b, err := proto.Marshal(answer)
	rc.err = errors.Join(rc.err, err)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(b)
}

// attributes are those of a span or a point, as text.
func attributes(kvs []*commonv1.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonv1.AnyValue_StringValue:
			m[kv.GetKey()] = v.StringValue
		case *commonv1.AnyValue_IntValue:
			m[kv.GetKey()] = fmt.Sprint(v.IntValue)
		default:
			m[kv.GetKey()] = fmt.Sprintf("%v", v)
		}
	}
	return m
}

// exported runs fn under an SDK and returns what arrived.
func exported(t *testing.T, fn func(tel *telemetry.Telemetry)) *receiver {
	t.Helper()
	rc := &receiver{spans: map[string]*tracev1.Span{}, metrics: map[string]*metricsv1.Metric{}}
	srv := httptest.NewServer(rc)
	t.Cleanup(srv.Close)
	ctx := t.Context()
	traces, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(srv.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(srv.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(traces))
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithInterval(time.Hour))))
	tel, err := telemetry.New(nil, telemetry.Options{Service: "shop", MeterProvider: mp, TracerProvider: tp})
	if err != nil {
		t.Fatal(err)
	}
	fn(tel)
	if err := errors.Join(tp.Shutdown(ctx), mp.Shutdown(ctx), tel.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.err != nil {
		t.Fatal(rc.err)
	}
	return rc
}

func contains(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s is %q, want %q; there are %v", what, k, got[k], v, got)
		}
	}
}

// What a cache and its connections do arrives under the names of the semantic
// conventions for databases and HTTP.
func TestOTLP(t *testing.T) {
	t.Parallel()
	rc := exported(t, func(tel *telemetry.Telemetry) {
		c, err := embedded.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		users, err := larder.New(c, larder.Options[int, string]{
			Namespace: "user", TTL: time.Hour, Observer: tel, CacheTimeout: 20 * time.Second,
			Load: func(ctx context.Context, _ int) (string, error) {
				_, end := tel.Begin(ctx, observe.Operation{Kind: observe.Redis, Name: "127.0.0.1:6379", Verb: "GET"})
				end(nil)
				return "a user", nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = users.Close() }) // its gauges are read at the end
		for range 3 {
			if _, err := users.Get(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Redis, Name: "/run/redis.sock", Verb: "EVALSHA"})
		end(errors.New("quotes a secret"))
		_, end = tel.Begin(t.Context(), observe.Operation{Kind: observe.Gateway, Name: "gateway", Verb: "POST", Attrs: []slog.Attr{
			slog.String("http.request.method", "POST"), slog.String("http.route", "/pipeline"), slog.String("url.scheme", "http"),
		}})
		end(nil, slog.Int("http.response.status_code", 200))
		_, end = tel.Begin(t.Context(), observe.Operation{Kind: observe.Gateway, Name: "gateway", Verb: "POST", Attrs: []slog.Attr{
			slog.String("http.request.method", "BREW"), slog.String("http.route", "/{command...}"),
		}})
		end(errors.New("quotes a secret"), slog.Int("http.response.status_code", 502))
	})

	for name, want := range map[string]struct {
		kind   tracev1.Span_SpanKind
		status tracev1.Status_StatusCode
		attrs  map[string]string
	}{
		"GET 127.0.0.1:6379": {tracev1.Span_SPAN_KIND_CLIENT, 0, map[string]string{
			"db.system.name": "redis", "db.operation.name": "GET", "server.address": "127.0.0.1", "server.port": "6379",
		}},
		"EVALSHA /run/redis.sock": {tracev1.Span_SPAN_KIND_CLIENT, tracev1.Status_STATUS_CODE_ERROR, map[string]string{
			"server.address": "/run/redis.sock", "error.type": "_OTHER",
		}},
		"POST /pipeline": {tracev1.Span_SPAN_KIND_SERVER, 0, map[string]string{
			"http.request.method": "POST", "http.route": "/pipeline", "http.response.status_code": "200", "url.scheme": "http",
		}},
		"HTTP /{command...}": {tracev1.Span_SPAN_KIND_SERVER, tracev1.Status_STATUS_CODE_ERROR, map[string]string{
			"http.response.status_code": "502", "error.type": "502",
		}},
		"load user": {tracev1.Span_SPAN_KIND_INTERNAL, 0, map[string]string{"larder.namespace": "user", "larder.operation": "load"}},
	} {
		s := rc.spans[name]
		if s == nil {
			t.Errorf("no span %q among %v", name, slices.Sorted(maps.Keys(rc.spans)))
			continue
		}
		if s.GetKind() != want.kind || s.GetStatus().GetCode() != want.status {
			t.Errorf("%s: kind %v, status %v", name, s.GetKind(), s.GetStatus())
		}
		contains(t, name, attributes(s.GetAttributes()), want.attrs)
	}
	// What a loader does is part of the load.
	if get, load := rc.spans["GET 127.0.0.1:6379"], rc.spans["load user"]; string(get.GetParentSpanId()) != string(load.GetSpanId()) {
		t.Error("the command's span is not below that of the load")
	}

	for name, want := range map[string]struct {
		unit  string
		attrs map[string]string
		n     float64
	}{
		"db.client.operation.duration":    {"s", map[string]string{"db.system.name": "redis", "db.operation.name": "GET", "server.address": "127.0.0.1", "server.port": "6379"}, 1},
		"http.server.request.duration":    {"s", map[string]string{"http.request.method": "POST", "http.route": "/pipeline", "http.response.status_code": "200", "url.scheme": "http"}, 1},
		"larder.cache.operation.duration": {"s", map[string]string{"larder.namespace": "user", "larder.operation": "load"}, 1},
		"larder.cache.hits":               {"{hit}", map[string]string{"larder.namespace": "user", "larder.tier": "l1"}, 2},
		"larder.cache.l1.entries":         {"{entry}", map[string]string{"larder.namespace": "user"}, 1},
		"larder.redis.operation.errors":   {"{error}", map[string]string{"larder.operation": "EVALSHA", "error.type": "_OTHER"}, 1},
	} {
		m := rc.metrics[name]
		if m == nil {
			t.Errorf("no metric %q among %v", name, slices.Sorted(maps.Keys(rc.metrics)))
			continue
		}
		if m.GetUnit() != want.unit || m.GetDescription() == "" {
			t.Errorf("%s: unit %q, description %q", name, m.GetUnit(), m.GetDescription())
		}
		if n := find(m, want.attrs); n != want.n {
			t.Errorf("%s%v is %v, want %v: %v", name, want.attrs, n, want.n, m)
		}
	}
	if total := rc.metrics["larder.cache.hits"].GetSum(); !total.GetIsMonotonic() {
		t.Error("hits may fall")
	}
	if n := find(rc.metrics["http.server.request.duration"], map[string]string{"http.request.method": "_OTHER", "error.type": "502"}); n != 1 {
		t.Errorf("%v failed requests with an unknown method", n)
	}
}

// find returns the value or the count of the point that has all of the attributes, -1
// where there is none.
func find(m *metricsv1.Metric, want map[string]string) float64 {
	is := func(kvs []*commonv1.KeyValue) bool {
		got := attributes(kvs)
		for k, v := range want {
			if got[k] != v {
				return false
			}
		}
		return true
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		if is(p.GetAttributes()) {
			return float64(p.GetCount())
		}
	}
	for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
		if is(p.GetAttributes()) {
			return p.GetAsDouble()
		}
	}
	return -1
}

// Features come and go while an SDK collects: nobody waits for anybody for ever.
func TestCollectingWhileMetricsAreNew(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	tel, err := telemetry.New(nil, telemetry.Options{MeterProvider: mp, TracerProvider: sdktrace.NewTracerProvider()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				m := &observe.Metric{Name: fmt.Sprintf("larder.test.count_%d_%d", w, i)}
				h := &observe.Metric{Name: fmt.Sprintf("larder.test.time_%d_%d", w, i), Unit: "s", Instrument: observe.Histogram}
				gone := tel.Register(observe.Source{
					Subject: observe.Subject{Kind: observe.Cache, Name: "test"}, Metrics: []*observe.Metric{m, h},
					Read: func(yield observe.Yield) { yield(m, "", 1) },
				})
				tel.Record(observe.Cache, "test", h, time.Millisecond)
				_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.SQL, Name: "test", Verb: fmt.Sprint(w, i)})
				end(nil)
				gone()
			}
		})
		wg.Go(func() {
			for range 20 {
				var rm metricdata.ResourceMetrics
				if err := reader.Collect(t.Context(), &rm); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := tel.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
