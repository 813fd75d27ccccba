package telemetry

import (
	"time"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// account turns samples into minutes. Not safe for concurrent use.
type account struct {
	minute  int64
	sampled time.Time // the last time, on the wall clock

	before    map[series]float64 // counters as of the last sample
	readings  map[*timer]*histogram.Reading
	figures   map[series]float64 // of the minute
	durations map[*timer]histogram.Counts
}

func newAccount(now time.Time) *account {
	a := &account{
		minute: minuteOf(now), sampled: now.Round(0),
		before: map[series]float64{}, readings: map[*timer]*histogram.Reading{},
	}
	a.clear()
	return a
}

func (a *account) clear() {
	a.figures, a.durations = map[series]float64{}, map[*timer]histogram.Counts{}
}

// stepBack is how far the clock may go back before a new life begins: the minutes that
// it goes through once more must not overwrite those that were written.
const stepBack = time.Minute

// steppedBack tells whether the clock has gone back too far.
func (a *account) steppedBack(now time.Time) bool { return a.sampled.Sub(now.Round(0)) > stepBack }

// attribute returns the minute of what was counted until now: that of the middle of the
// time since the last sample.
func (a *account) attribute(now time.Time) int64 {
	now = now.Round(0) // the wall clock: minutes are its
	middle := a.sampled.Add(now.Sub(a.sampled) / 2)
	a.sampled = now
	return max(minuteOf(middle), a.minute)
}

// add counts a sample to the present minute.
func (a *account) add(sample map[series]float64, timers []*timer) {
	a.gauges(sample)
	for s, n := range sample {
		if s.metric.Instrument == observe.Gauge {
			continue
		}
		if d := n - a.before[s]; d > 0 {
			a.figures[s] += d
		}
		a.before[s] = n
	}
	for _, t := range timers {
		last := a.readings[t]
		if last == nil {
			last = new(histogram.Reading)
			a.readings[t] = last
		}
		if c := t.live.Since(last); len(c.Buckets) > 0 {
			a.durations[t] = histogram.Sum(a.durations[t], c)
		}
	}
}

// gauges replaces the gauges of the present minute.
func (a *account) gauges(sample map[series]float64) {
	for s := range a.figures {
		if s.metric.Instrument == observe.Gauge {
			delete(a.figures, s)
		}
	}
	for s, n := range sample {
		if s.metric.Instrument == observe.Gauge {
			a.figures[s] = n
		}
	}
}

// record makes the Record of the present minute.
func (a *account) record(p minute.Process, closed bool) *minute.Record {
	b := builder{
		r:        &minute.Record{Process: p, Minute: a.minute, Closed: closed, Written: a.sampled.UnixMilli(), Labels: []string{""}},
		subjects: map[minute.Subject]uint32{}, metrics: map[*observe.Metric]uint32{}, labels: map[string]uint32{"": 0},
	}
	for s, n := range a.figures {
		if n != 0 {
			b.r.Figures = append(b.r.Figures, minute.Figure{At: b.at(s), Value: n})
		}
	}
	for t, c := range a.durations {
		b.r.Distributions = append(b.r.Distributions, minute.Distribution{At: b.at(t.series), Counts: c})
	}
	return b.r
}

// builder fills the tables of a Record.
type builder struct {
	r        *minute.Record
	subjects map[minute.Subject]uint32
	metrics  map[*observe.Metric]uint32
	labels   map[string]uint32
}

func (b *builder) at(s series) (at minute.At) {
	subject := minute.Subject{Kind: s.kind, Name: s.name}
	if at.Subject = number(b.subjects, subject); int(at.Subject) == len(b.r.Subjects) {
		subject.Kind = observe.Kind(minute.Text(string(s.kind)))
		b.r.Subjects = append(b.r.Subjects, subject)
	}
	if at.Metric = number(b.metrics, s.metric); int(at.Metric) == len(b.r.Metrics) {
		b.r.Metrics = append(b.r.Metrics, minute.Metric{
			Name: minute.Text(s.metric.Name), Unit: minute.Text(s.metric.Unit), Label: minute.Text(s.metric.Label),
			Instrument: s.metric.Instrument,
		})
	}
	if at.Label = number(b.labels, s.label); int(at.Label) == len(b.r.Labels) {
		b.r.Labels = append(b.r.Labels, s.label)
	}
	return at
}
