package observetest

import (
	"maps"
	"slices"

	"github.com/larder-go/larder/observe"
)

// Figures returns the sums of all that sources of a kind and name have counted, by
// "name" or "name{label}", without zeros.
func (r *Recorder) Figures(kind observe.Kind, name string) map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	sums := map[string]float64{}
	for _, s := range r.sources {
		if s.Subject.Kind != kind || s.Subject.Name != name {
			continue
		}
		r.readLocked(s)
		for f, n := range s.last {
			if n == 0 || s.gone && f.m.Instrument == observe.Gauge {
				continue
			}
			key := f.m.Name
			if f.label != "" {
				key += "{" + f.label + "}"
			}
			sums[key] += n
		}
	}
	return sums
}

// Want compares Figures with what is wanted, of which zeros are left out; figures
// that are named in but are not compared.
func (r *Recorder) Want(kind observe.Kind, name string, want map[string]float64, but ...string) {
	r.t.Helper()
	got := r.Figures(kind, name)
	want = maps.Clone(want)
	maps.DeleteFunc(want, func(_ string, n float64) bool { return n == 0 })
	for _, key := range but {
		delete(got, key)
		delete(want, key)
	}
	if !maps.Equal(got, want) {
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if got[key] != want[key] {
				r.t.Errorf("%s %q: %s is %v, want %v", kind, name, key, got[key], want[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] == 0 {
				r.t.Errorf("%s %q: %s is 0, want %v", kind, name, key, want[key])
			}
		}
	}
}

// Subjects returns those of the sources that are registered now.
func (r *Recorder) Subjects() []observe.Subject {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []observe.Subject
	for _, s := range r.sources {
		if !s.gone {
			out = append(out, s.Subject)
		}
	}
	return out
}

// Metrics returns every metric that was ever declared, each once, by name.
func (r *Recorder) Metrics() []*observe.Metric {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]*observe.Metric{}
	for _, s := range r.sources {
		for _, m := range s.Metrics {
			if other := all[m.Name]; other != nil && other != m {
				r.t.Errorf("two metrics are named %s", m.Name)
			}
			all[m.Name] = m
		}
	}
	var out []*observe.Metric
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name])
	}
	return out
}

// Ended returns the operations of a kind and verb that have ended, in that order;
// "" is every verb.
func (r *Recorder) Ended(kind observe.Kind, verb string) []Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Operation
	for _, op := range r.ended {
		if op.Kind == kind && (verb == "" || op.Verb == verb) {
			out = append(out, op)
		}
	}
	return out
}

// Records returns the durations that were told for a metric.
func (r *Recorder) Records(name string) []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Record
	for _, rec := range r.records {
		if rec.Metric.Name == name {
			out = append(out, rec)
		}
	}
	return out
}
