// Package observetest is an Observer for tests: it keeps everything that it is told,
// and complains of what the contract does not allow.
//
//	seen := observetest.New(t)
//	cache, err := larder.New(c, larder.Options[string, int]{…, Observer: seen})
//	…
//	seen.Want(observe.Cache, "user", map[string]float64{"larder.cache.hits{l1}": 3})
//
// # Concurrency
//
// All methods may be called from many goroutines at once.
//
// # Failure
//
// An operation that ends twice or never, a figure of a metric that its source has not
// declared, and a counter that falls are errors of the test.
package observetest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
)

// Recorder is an Observer that keeps what it is told.
type Recorder struct {
	t testing.TB

	mu      sync.Mutex // protects the following
	sources []*source
	open    map[*Operation]bool
	ended   []Operation
	records []Record
}

var _ observe.Observer = (*Recorder)(nil)

type source struct {
	observe.Source
	gone bool
	last map[figure]float64 // what was counted when it was looked at, or taken out
}

type figure struct {
	m     *observe.Metric
	label string
}

// Operation is one that has begun, and maybe ended.
type Operation struct {
	observe.Operation
	Err error       // its outcome
	End []slog.Attr // what was told at the end
}

// Attr returns the value of an attribute, "" where there is none.
func (o Operation) Attr(key string) string {
	for _, a := range slices.Concat(o.Attrs, o.End) {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// Record is a duration that was told by itself.
type Record struct {
	Kind   observe.Kind
	Name   string
	Metric *observe.Metric
	D      time.Duration
}

// New makes a Recorder. When the test ends it checks that all operations have ended.
func New(t testing.TB) *Recorder {
	r := &Recorder{t: t, open: map[*Operation]bool{}}
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for op := range r.open {
			t.Errorf("the operation %s %q %s was not ended", op.Kind, op.Name, op.Verb)
		}
	})
	return r
}

// Register implements observe.Observer.
func (r *Recorder) Register(src observe.Source) func() {
	if src.Subject.Kind == "" || src.Subject.Name == "" || src.Read == nil || len(src.Metrics) == 0 {
		r.t.Errorf("an incomplete source: %+v", src.Subject)
	}
	s := &source{Source: src, last: map[figure]float64{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, s)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.readLocked(s)
		s.gone = true
	}
}

// readLocked reads a source anew.
func (r *Recorder) readLocked(s *source) {
	if s.gone {
		return
	}
	now := map[figure]float64{}
	s.Read(func(m *observe.Metric, label string, n float64) {
		switch {
		case !slices.Contains(s.Metrics, m):
			r.t.Errorf("%s %q counts %s, which it has not declared", s.Subject.Kind, s.Subject.Name, m.Name)
		case m.Instrument == observe.Histogram:
			r.t.Errorf("%s %q yields %s, which is a histogram", s.Subject.Kind, s.Subject.Name, m.Name)
		case (label == "") != (m.Label == ""):
			r.t.Errorf("%s has the label %q; it is divided by %q", m.Name, label, m.Label)
		}
		now[figure{m, label}] += n
	})
	for f, n := range s.last {
		if f.m.Instrument == observe.Counter && now[f] < n {
			r.t.Errorf("%s{%s} has fallen from %v to %v", f.m.Name, f.label, n, now[f])
		}
	}
	s.last = now
}

type operationKey struct{}

// Of returns the operation under which a context runs.
func Of(ctx context.Context) (op observe.Operation, ok bool) {
	op, ok = ctx.Value(operationKey{}).(observe.Operation)
	return op, ok
}

// Begin implements observe.Observer.
func (r *Recorder) Begin(ctx context.Context, op observe.Operation) (context.Context, observe.End) {
	o := &Operation{Operation: op}
	o.Attrs = slices.Clone(op.Attrs)
	r.mu.Lock()
	r.open[o] = true
	r.mu.Unlock()
	return context.WithValue(ctx, operationKey{}, op), func(err error, attrs ...slog.Attr) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.open[o] {
			r.t.Errorf("the operation %s %q %s was ended twice", op.Kind, op.Name, op.Verb)
			return
		}
		delete(r.open, o)
		o.Err, o.End = err, slices.Clone(attrs)
		r.ended = append(r.ended, *o)
	}
}

// Record implements observe.Observer.
func (r *Recorder) Record(kind observe.Kind, name string, m *observe.Metric, d time.Duration) {
	if m.Instrument != observe.Histogram {
		r.t.Errorf("%s is given a duration, and is no histogram", m.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, Record{kind, name, m, d})
}
