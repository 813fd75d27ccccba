package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// timer holds the durations of one series, and how many operations failed.
type timer struct {
	series
	live histogram.Live

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
	most     int

	current atomic.Pointer[map[asked]*timer]
	mu      sync.Mutex // protects the following, and replacing current
	byName  map[series]*timer
}

// timersPerSubject is how many timers there may be for each subject, on average.
const timersPerSubject = 8

func newTimers(r *registry) *timers {
	ts := &timers{registry: r, most: timersPerSubject * r.maxSubjects, byName: map[series]*timer{}}
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
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := *ts.current.Load()
	if t := now[a]; t != nil {
		return t
	}
	one := ts.registry.metric(a.metric)
	if one == nil || one.Instrument != observe.Histogram {
		return nil
	}
	s := series{a.kind, ts.registry.subject(a.kind, a.name), one, minute.Text(a.label)}
	t := ts.byName[s]
	if t == nil {
		t = &timer{series: s}
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

// record counts one duration; no timer counts nothing.
func (t *timer) record(d time.Duration) {
	if t != nil {
		t.live.Record(d)
	}
}
