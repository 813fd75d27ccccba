package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// timer holds the durations of one series, and how many operations failed.
type timer struct {
	series
	live histogram.Live
	otel instruments

	mu     sync.Mutex // protects the following
	failed map[string]float64
}

// maxErrors bounds the types of errors that a timer tells apart.
const maxErrors = 32

func (t *timer) fail(errorType string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.failed[errorType]; !ok && len(t.failed) >= maxErrors {
		errorType = otherError
	}
	if t.failed == nil {
		t.failed = map[string]float64{}
	}
	t.failed[errorType]++
}

func (t *timer) failures(fn func(errorType string, n float64)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for errorType, n := range t.failed {
		fn(errorType, n)
	}
}

// asked is what a timer is looked up by, as features say it.
type asked struct {
	kind   observe.Kind
	name   string
	metric *observe.Metric
	label  string
}

// timers finds a timer without a lock and without allocating: the map is replaced, never
// changed.
type timers struct {
	registry *registry
	make     func(series) *timer
	most     int

	current atomic.Pointer[map[asked]*timer]
	mu      sync.Mutex // protects the following, and replacing current
	byName  map[series]*timer
}

// timersPerSubject is how many timers there may be for each subject, on average.
const timersPerSubject = 8

func newTimers(r *registry, make func(series) *timer) *timers {
	ts := &timers{registry: r, make: make, most: timersPerSubject * r.maxSubjects, byName: map[series]*timer{}}
	ts.current.Store(&map[asked]*timer{})
	return ts
}

// of returns the timer of a series; nil where its metric is none.
func (ts *timers) of(kind observe.Kind, name string, m *observe.Metric, label string) *timer {
	a := asked{kind, name, m, label}
	now := *ts.current.Load()
	if t := now[a]; t != nil {
		return t
	}
	if len(now) < ts.most {
		return ts.add(a)
	}
	if t := now[asked{kind, other, m, other}]; t != nil {
		return t
	}
	return ts.add(asked{kind, other, m, other})
}

func (ts *timers) add(a asked) *timer {
	// Before the lock: OpenTelemetry may call all while it makes an instrument.
	one := ts.registry.metric(a.metric)
	if one == nil || one.Instrument != observe.Histogram {
		return nil
	}
	ts.registry.metric(failureMetric(a.kind))
	s := series{a.kind, ts.registry.subject(a.kind, a.name), one, minute.Text(a.label)}
	made := ts.make(s)

	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := *ts.current.Load()
	if t := now[a]; t != nil {
		return t
	}
	t := ts.byName[s]
	if t == nil {
		t = made
		ts.byName[s] = t
	}
	next := maps.Clone(now)
	next[a] = t
	ts.current.Store(&next)
	return t
}

// all lists the timers.
func (ts *timers) all() []*timer {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	all := make([]*timer, 0, len(ts.byName))
	for _, t := range ts.byName {
		all = append(all, t)
	}
	return all
}
