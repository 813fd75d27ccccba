package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/larder-go/larder/observe"
)

// scope names the instrumentation.
const scope = "github.com/larder-go/larder/telemetry"

// The boundaries of OpenTelemetry's histograms, in seconds: those that the semantic
// conventions advise, and finer ones for what is mostly in memory or one hop away.
var (
	dbBoundaries   = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}
	httpBoundaries = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	boundaries     = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
)

// exporter hands figures and spans to OpenTelemetry.
type exporter struct {
	tracer trace.Tracer
	meter  metric.Meter
	log    *slog.Logger
	sample func() map[series]float64

	mu           sync.Mutex // protects the following
	closed       bool
	observables  map[*observe.Metric]metric.Float64Observable
	histograms   map[*observe.Metric]metric.Float64Histogram
	registration metric.Registration
}

func newExporter(o Options, sample func() map[series]float64) *exporter {
	return &exporter{
		tracer: o.TracerProvider.Tracer(scope, trace.WithInstrumentationVersion(version())),
		meter:  o.MeterProvider.Meter(scope, metric.WithInstrumentationVersion(version())),
		log:    o.Logger, sample: sample,
		observables: map[*observe.Metric]metric.Float64Observable{},
		histograms:  map[*observe.Metric]metric.Float64Histogram{},
	}
}

// added makes the instruments of new metrics.
func (e *exporter) added(ms ...*observe.Metric) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	before := len(e.observables)
	for _, m := range ms {
		if err := e.makeLocked(m); err != nil {
			e.log.Warn("telemetry: OpenTelemetry refused a metric", "metric", m.Name, "error", err)
		}
	}
	if len(e.observables) == before {
		return
	}
	// One callback for all of them, so that a collection samples once.
	if e.registration != nil {
		_ = e.registration.Unregister()
		e.registration = nil
	}
	all := make(map[*observe.Metric]metric.Float64Observable, len(e.observables))
	list := make([]metric.Observable, 0, len(e.observables))
	for m, o := range e.observables {
		all[m] = o
		list = append(list, o)
	}
	registration, err := e.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		for s, n := range e.sample() {
			if o := all[s.metric]; o != nil {
				to.ObserveFloat64(o, n, metric.WithAttributes(s.attributes()...))
			}
		}
		return nil
	}, list...)
	if err != nil {
		e.log.Warn("telemetry: OpenTelemetry refused the figures", "error", err)
		return
	}
	e.registration = registration
}

func (e *exporter) makeLocked(m *observe.Metric) (err error) {
	unit, help := metric.WithUnit(m.Unit), metric.WithDescription(m.Help)
	switch m.Instrument {
	case observe.Counter:
		var o metric.Float64ObservableCounter
		if o, err = e.meter.Float64ObservableCounter(m.Name, unit, help); err == nil {
			e.observables[m] = o
		}
	case observe.Gauge:
		var o metric.Float64ObservableGauge
		if o, err = e.meter.Float64ObservableGauge(m.Name, unit, help); err == nil {
			e.observables[m] = o
		}
	case observe.Histogram:
		bounds := boundaries
		switch m {
		case redisOperations:
			bounds = dbBoundaries
		case gatewayRequests:
			bounds = httpBoundaries
		}
		var h metric.Float64Histogram
		if h, err = e.meter.Float64Histogram(m.Name, unit, help, metric.WithExplicitBucketBoundaries(bounds...)); err == nil {
			e.histograms[m] = h
		}
	}
	return err
}

// close stops the callback. Spans and durations go on.
func (e *exporter) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.registration != nil {
		_ = e.registration.Unregister()
		e.registration = nil
	}
}

// instruments are what a timer keeps ready, so that an operation makes few of them.
type instruments struct {
	histogram  metric.Float64Histogram // nil where OpenTelemetry refused it
	attributes []attribute.KeyValue
	plain      metric.RecordOption // the attributes of an operation that went well
	span       trace.SpanStartOption
	spanKind   trace.SpanStartOption
}

// timer makes the timer of a series.
func (e *exporter) timer(s series) *timer {
	t := &timer{series: s}
	kvs := s.attributes()
	kind := trace.SpanKindInternal
	switch s.kind {
	case observe.Redis:
		kvs, kind = append(kvs, dbSystemName.String("redis")), trace.SpanKindClient
	case observe.Gateway:
		kind = trace.SpanKindServer
	}
	e.mu.Lock()
	h := e.histograms[s.metric]
	e.mu.Unlock()
	t.otel = instruments{
		histogram: h, attributes: kvs,
		plain: metric.WithAttributeSet(attribute.NewSet(kvs...)),
		span:  trace.WithAttributes(kvs...), spanKind: trace.WithSpanKind(kind),
	}
	return t
}

func (i *instruments) record(ctx context.Context, d time.Duration) {
	if i.histogram != nil && i.histogram.Enabled(ctx) {
		i.histogram.Record(ctx, d.Seconds(), i.plain)
	}
}

// start begins a span.
func (e *exporter) start(ctx context.Context, t *timer, op observe.Operation) (context.Context, trace.Span) {
	if len(op.Attrs) == 0 {
		return e.tracer.Start(ctx, spanName(op), t.otel.spanKind, t.otel.span)
	}
	return e.tracer.Start(ctx, spanName(op), t.otel.spanKind, t.otel.span, trace.WithAttributes(keyValues(op.Attrs)...))
}

// spanName follows the conventions: operation and server, method and route; otherwise
// what is done, and to what.
func spanName(op observe.Operation) string {
	if op.Kind != observe.Gateway {
		return op.Verb + " " + op.Name
	}
	method, route := op.Verb, ""
	for _, a := range op.Attrs {
		switch attribute.Key(a.Key) {
		case httpMethod:
			method = a.Value.String()
		case httpRoute:
			route = " " + a.Value.String()
		}
	}
	if !methods[method] {
		method = "HTTP"
	}
	return method + route
}

// end ends what start began, and records its duration.
func (e *exporter) end(ctx context.Context, span trace.Span, t *timer, op observe.Operation, d time.Duration, failure string, attrs []slog.Attr) {
	if span.IsRecording() {
		span.SetAttributes(keyValues(attrs)...)
		if op.Kind == observe.Gateway && len(attrs) > 0 {
			span.SetName(spanName(observe.Operation{Kind: op.Kind, Verb: op.Verb, Attrs: append(slices.Clone(op.Attrs), attrs...)}))
		}
		if failure != "" {
			// Not the error's text, which may come from a loader and quote anything.
			span.SetAttributes(errorTypeName.String(failure))
			span.SetStatus(codes.Error, failure)
		}
	}
	span.End()
	if t.otel.histogram == nil || !t.otel.histogram.Enabled(ctx) {
		return
	}
	kvs := measured(op.Attrs, attrs)
	if failure != "" {
		kvs = append(kvs, errorTypeName.String(failure))
	}
	if len(kvs) == 0 {
		t.otel.histogram.Record(ctx, d.Seconds(), t.otel.plain)
		return
	}
	// The last value of a key counts: what an operation says goes before what its
	// timer knows.
	all := append(append(make([]attribute.KeyValue, 0, len(t.otel.attributes)+len(kvs)), t.otel.attributes...), kvs...)
	t.otel.histogram.Record(ctx, d.Seconds(), metric.WithAttributeSet(attribute.NewSet(all...)))
}

func keyValues(attrs []slog.Attr) []attribute.KeyValue {
	kvs := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		v := a.Value.Resolve()
		key := attribute.Key(a.Key)
		switch v.Kind() {
		case slog.KindBool:
			kvs = append(kvs, key.Bool(v.Bool()))
		case slog.KindInt64:
			kvs = append(kvs, key.Int64(v.Int64()))
		case slog.KindUint64:
			kvs = append(kvs, key.Int64(int64(v.Uint64())))
		case slog.KindFloat64:
			kvs = append(kvs, key.Float64(v.Float64()))
		case slog.KindDuration:
			kvs = append(kvs, key.Float64(v.Duration().Seconds()))
		default:
			kvs = append(kvs, key.String(v.String()))
		}
	}
	return kvs
}

// measured picks the attributes that durations are divided by, which have few values,
// and bounds them.
func measured(begin, end []slog.Attr) (kvs []attribute.KeyValue) {
	for _, attrs := range [][]slog.Attr{begin, end} {
		for _, a := range attrs {
			switch key := attribute.Key(a.Key); key {
			case httpMethod:
				method := a.Value.String()
				if !methods[method] {
					method = otherError
				}
				kvs = append(kvs, key.String(method))
			case httpStatus:
				if n := status(a.Value); n > 0 {
					kvs = append(kvs, key.Int(n))
				}
			case dbSystemName, httpRoute, urlScheme: // chosen by developers
				kvs = append(kvs, key.String(a.Value.String()))
			}
		}
	}
	return kvs
}

// status is an HTTP status, 0 where it is none.
func status(v slog.Value) int {
	n, err := strconv.Atoi(v.String())
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// failureOf is the error.type of an operation; empty where it went well. What a client
// did wrong is no failure of a server.
func failureOf(kind observe.Kind, err error, attrs []slog.Attr) string {
	if kind == observe.Gateway {
		for _, a := range attrs {
			if n := status(a.Value); a.Key == string(httpStatus) && n > 0 {
				if n >= 500 {
					return strconv.Itoa(n)
				}
				return ""
			}
		}
	}
	if err == nil {
		return ""
	}
	return errorType(err)
}
