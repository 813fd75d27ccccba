package telemetry

import (
	"iter"
	"time"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

// Fleet is what all processes together did in some minutes.
type Fleet struct {
	// Start is the beginning of the first minute, Minutes how many there are. A
	// minute that is not over holds what was written so far.
	Start   time.Time
	Minutes int
	// Processes are those that wrote, or were alive, in these minutes; by service,
	// then instance, then begin.
	Processes []Process
	// Reporting is for each minute how many processes are in the figures: 0 tells a
	// gap from a minute in which nothing happened.
	Reporting []int
	// Series are counters and gauges, Durations histograms; both are sorted by Key.
	Series    []Series
	Durations []Durations
	// Incomplete tells that more was there than the limits of the Reader allow, or
	// that some of it could not be read: what is missing is left out.
	Incomplete bool
}

// Process is one life of a process.
type Process struct {
	// ID tells it from all others, and from earlier lives of the same instance.
	ID string
	// Service and Instance are what its options say, Version that of its main module.
	Service, Instance, Host, Version string
	PID                              int
	// Started is when its telemetry was made, LastSeen when it last wrote, both on its
	// own clock.
	Started, LastSeen time.Time
	// Alive is true until it has ended, or has not written for three of its intervals
	// and 5 seconds, on the clock of Redis.
	Alive bool
}

// Key says what a series is of. In [Fleet.Each] and [Fleet.Distribution], empty fields
// stand for any.
type Key struct {
	Kind   observe.Kind
	Name   string // of the subject: a namespace, a topic, a node
	Metric string // its dotted name
	Label  string // the value of its label: "l1", "absent", "GET"
}

func (k Key) matches(other Key) bool {
	return (k.Kind == "" || k.Kind == other.Kind) && (k.Name == "" || k.Name == other.Name) &&
		(k.Metric == "" || k.Metric == other.Metric) && (k.Label == "" || k.Label == other.Label)
}

// Series is a counter or a gauge.
type Series struct {
	Key
	// Unit is in UCUM's notation; LabelName says what Label is, "" where there is none.
	Unit, LabelName string
	Instrument      observe.Instrument
	// Values has one number for each minute: a counter's increment, a gauge's latest
	// value, added over the processes. In the last minute, the gauge of a process that
	// has not written yet is that of the minute before.
	Values []float64
}

// Total is the sum of a counter's increments; of a gauge, its latest value.
func (s *Series) Total() (n float64) {
	if s.Instrument == observe.Gauge {
		if len(s.Values) == 0 {
			return 0
		}
		return s.Values[len(s.Values)-1]
	}
	for _, v := range s.Values {
		n += v
	}
	return n
}

// Durations is a histogram.
type Durations struct {
	Key
	Unit, LabelName string
	// Values has one Distribution for each minute.
	Values []Distribution
}

// Total is all minutes together.
func (d *Durations) Total() Distribution { return Merge(d.Values...) }

// Distribution is how durations were distributed. The zero value is that of none.
type Distribution struct{ c histogram.Counts }

// Count is how many durations there were.
func (d Distribution) Count() uint64 { return d.c.Count() }

// Sum is all of them together.
func (d Distribution) Sum() time.Duration { return d.c.Sum }

// Mean is the arithmetic mean, 0 of none.
func (d Distribution) Mean() time.Duration {
	if n := d.c.Count(); n > 0 {
		return time.Duration(float64(d.c.Sum) / float64(n))
	}
	return 0
}

// Quantile returns the duration that the share q (0 to 1) of all does not exceed: at
// most 6.25 % off; 512 ns stand for everything below 1 µs, 68.7 s for everything above.
// 0 of none.
func (d Distribution) Quantile(q float64) time.Duration { return d.c.Quantile(q) }

// Merge adds distributions.
func Merge(all ...Distribution) Distribution {
	counts := make([]histogram.Counts, 0, len(all))
	for _, d := range all {
		if len(d.c.Buckets) > 0 {
			counts = append(counts, d.c)
		}
	}
	return Distribution{histogram.Sum(counts...)}
}

// Each yields the series that match.
func (f *Fleet) Each(k Key) iter.Seq[*Series] {
	return func(yield func(*Series) bool) {
		for i := range f.Series {
			if s := &f.Series[i]; k.matches(s.Key) && !yield(s) {
				return
			}
		}
	}
}

// Total adds the totals of the series that match.
func (f *Fleet) Total(k Key) (n float64) {
	for s := range f.Each(k) {
		n += s.Total()
	}
	return n
}

// Distribution adds the durations that match, of all minutes.
func (f *Fleet) Distribution(k Key) Distribution {
	var all []Distribution
	for i := range f.Durations {
		if d := &f.Durations[i]; k.matches(d.Key) {
			all = append(all, d.Values...)
		}
	}
	return Merge(all...)
}
