package telemetry

import (
	"maps"
	"math"
	"sync"

	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// other is the name of what is beyond a limit.
const other = "(other)"

// maxLabels bounds the values of one metric's label, maxMetrics the metrics.
const (
	maxLabels  = 64
	maxMetrics = 1000
)

// series says what a figure is of.
type series struct {
	kind   observe.Kind
	name   string
	metric *observe.Metric
	label  string
}

// registry knows the sources, and what those that are gone have counted.
type registry struct {
	maxSubjects int

	mu       sync.Mutex // protects the following
	sources  map[*observe.Source]struct{}
	retired  map[series]float64
	subjects map[minute.Subject]struct{}
	labels   map[*observe.Metric]map[string]struct{}
	// metrics has one Metric for each name: the first that had it.
	metrics map[string]*observe.Metric
	// added is called, without mu, where metrics are new.
	added func(...*observe.Metric)
}

func newRegistry(maxSubjects int, added func(...*observe.Metric)) *registry {
	return &registry{
		maxSubjects: maxSubjects, added: added,
		sources: map[*observe.Source]struct{}{}, retired: map[series]float64{},
		subjects: map[minute.Subject]struct{}{}, labels: map[*observe.Metric]map[string]struct{}{},
		metrics: map[string]*observe.Metric{},
	}
}

// register adds a source.
func (r *registry) register(src observe.Source) (unregister func()) {
	var fresh []*observe.Metric
	r.mu.Lock()
	for _, m := range src.Metrics {
		if m != nil && r.metrics[m.Name] == nil && r.metricLocked(m) != nil {
			fresh = append(fresh, m)
		}
	}
	r.sources[&src] = struct{}{}
	r.mu.Unlock()
	if len(fresh) > 0 {
		r.added(fresh...)
	}
	var once sync.Once
	return func() { once.Do(func() { r.retire(&src) }) }
}

// retire takes a source out, and keeps what it counted. Nobody samples meanwhile, so
// nothing is counted twice or not at all.
func (r *registry) retire(src *observe.Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readLocked(src, func(s series, n float64) {
		if s.metric.Instrument == observe.Counter {
			r.retired[s] += n
		}
	})
	delete(r.sources, src)
}

// sample returns the counters since the process began, and the gauges.
func (r *registry) sample() map[series]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[series]float64, len(r.retired))
	maps.Copy(all, r.retired)
	for src := range r.sources {
		r.readLocked(src, func(s series, n float64) { all[s] += n })
	}
	return all
}

// readLocked reads a source under mu: Read neither blocks nor calls back, by contract.
func (r *registry) readLocked(src *observe.Source, add func(series, float64)) {
	if src.Read == nil {
		return
	}
	kind, name := src.Subject.Kind, r.subjectLocked(src.Subject.Kind, src.Subject.Name)
	src.Read(func(m *observe.Metric, label string, n float64) {
		if m == nil || n == 0 || math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		if m = r.metricLocked(m); m == nil || m.Instrument == observe.Histogram || m.Instrument == observe.Counter && n < 0 {
			return
		}
		add(series{kind, name, m, r.labelLocked(m, label)}, n)
	})
}

// metricLocked returns the one Metric of m's name; nil where it cannot be told from
// another or where there are too many.
func (r *registry) metricLocked(m *observe.Metric) *observe.Metric {
	first := r.metrics[m.Name]
	switch {
	case first == nil && len(r.metrics) < maxMetrics:
		r.metrics[m.Name] = m
		return m
	case first == nil || first.Instrument != m.Instrument || first.Unit != m.Unit:
		return nil
	}
	return first
}

func (r *registry) metric(m *observe.Metric) *observe.Metric {
	r.mu.Lock()
	known := r.metrics[m.Name] != nil
	one := r.metricLocked(m)
	r.mu.Unlock()
	if !known && one != nil {
		r.added(one)
	}
	return one
}

func (r *registry) subject(kind observe.Kind, name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subjectLocked(kind, name)
}

// subjectLocked returns a name within the limits.
func (r *registry) subjectLocked(kind observe.Kind, name string) string {
	name = minute.Text(name)
	s := minute.Subject{Kind: kind, Name: name}
	if _, ok := r.subjects[s]; ok {
		return name
	}
	if len(r.subjects) >= r.maxSubjects {
		return other
	}
	r.subjects[s] = struct{}{}
	return name
}

func (r *registry) labelLocked(m *observe.Metric, label string) string {
	if label == "" {
		return ""
	}
	label = minute.Text(label)
	set := r.labels[m]
	if set == nil {
		set = map[string]struct{}{}
		r.labels[m] = set
	}
	if _, ok := set[label]; ok {
		return label
	}
	if len(set) >= maxLabels {
		return other
	}
	set[label] = struct{}{}
	return label
}
