package dashboard

import (
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// figures are what the fleet did, by feature.
type figures struct {
	start     time.Time
	minutes   int
	now       int // the minute that gauges are read at
	reporting []int
	processes []telemetry.Process
	// incomplete tells that something was left out.
	incomplete bool
	all        map[subject]*feature
	// names are those of each kind, in alphabetical order.
	names map[observe.Kind][]string
}

// subject names a feature.
type subject struct {
	kind observe.Kind
	name string
}

// feature is what all processes did for one subject.
type feature struct {
	minutes   int
	now       int // the minute that gauges are read at
	series    []*telemetry.Series
	durations []*telemetry.Durations
}

// newFigures puts a fleet in order. What the series hold is not copied.
func newFigures(f *telemetry.Fleet) *figures {
	x := &figures{
		start: f.Start, minutes: f.Minutes, reporting: f.Reporting, processes: f.Processes, incomplete: f.Incomplete,
		all: map[subject]*feature{}, names: map[observe.Kind][]string{},
	}
	x.now = max(f.Minutes-1, 0)
	if n := len(f.Reporting); n > 1 && f.Reporting[n-1] < f.Reporting[n-2] {
		x.now--
	}
	at := func(k telemetry.Key) *feature {
		s := subject{k.Kind, k.Name}
		ft := x.all[s]
		if ft == nil {
			ft = &feature{minutes: f.Minutes, now: x.now}
			x.all[s] = ft
			x.names[k.Kind] = append(x.names[k.Kind], k.Name)
		}
		return ft
	}
	for i := range f.Series {
		ft := at(f.Series[i].Key)
		ft.series = append(ft.series, &f.Series[i])
	}
	for i := range f.Durations {
		ft := at(f.Durations[i].Key)
		ft.durations = append(ft.durations, &f.Durations[i])
	}
	for _, names := range x.names {
		slices.Sort(names)
	}
	return x
}

// of returns a feature, an empty one where nothing is known of it.
func (x *figures) of(kind observe.Kind, name string) *feature {
	if ft := x.all[subject{kind, name}]; ft != nil {
		return ft
	}
	return &feature{minutes: x.minutes, now: x.now}
}

// together adds all features of a kind.
func (x *figures) together(kinds ...observe.Kind) *feature {
	sum := &feature{minutes: x.minutes, now: x.now}
	for _, kind := range kinds {
		for _, name := range x.names[kind] {
			ft := x.all[subject{kind, name}]
			sum.series = append(sum.series, ft.series...)
			sum.durations = append(sum.durations, ft.durations...)
		}
	}
	return sum
}

// counts returns the increments of each minute; label "" adds all labels.
func (ft *feature) counts(metric, label string) []float64 {
	sum := make([]float64, ft.minutes)
	for _, s := range ft.series {
		if s.Metric == metric && (label == "" || s.Label == label) && s.Instrument == observe.Counter {
			for i, v := range s.Values {
				sum[i] += v
			}
		}
	}
	return sum
}

// total is how often something was counted.
func (ft *feature) total(metric string) float64 { return add(ft.counts(metric, "")) }

// gauge is the latest value, added over the processes: of the running minute if as many
// processes have told of it as of the one before, else of that.
func (ft *feature) gauge(metric string) (v float64) {
	for _, s := range ft.series {
		if s.Metric == metric && s.Instrument == observe.Gauge && ft.now < len(s.Values) {
			v += s.Values[ft.now]
		}
	}
	return v
}

// labels lists the labels of a metric with their totals, the highest first.
func (ft *feature) labels(metric string) []labelled {
	var out []labelled
	for _, s := range ft.series {
		if s.Metric != metric || s.Instrument != observe.Counter {
			continue
		}
		n := s.Total()
		if n == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(l labelled) bool { return l.Label == s.Label })
		if i < 0 {
			i, out = len(out), append(out, labelled{Label: s.Label})
		}
		out[i].N += n
	}
	slices.SortStableFunc(out, func(a, b labelled) int {
		switch {
		case a.N > b.N:
			return -1
		case a.N < b.N:
			return 1
		}
		return 0
	})
	return out
}

type labelled struct {
	Label string
	N     float64
	Share float64
}

// distribution adds the durations of one kind of operation.
func (ft *feature) distribution(verb string) telemetry.Distribution {
	var all []telemetry.Distribution
	for _, d := range ft.durations {
		if d.Metric == metricOperation && d.Label == verb {
			all = append(all, d.Values...)
		}
	}
	return telemetry.Merge(all...)
}

func add(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// plus adds minute by minute.
func plus(lists ...[]float64) []float64 {
	if len(lists) == 0 {
		return nil
	}
	sum := make([]float64, len(lists[0]))
	for _, list := range lists {
		for i, v := range list {
			sum[i] += v
		}
	}
	return sum
}

// share is a part of a whole, NaN where there is no whole.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return math.NaN()
	}
	return part / whole
}

// shares is share, minute by minute.
func shares(parts, wholes []float64) []float64 {
	out := make([]float64, len(parts))
	for i := range parts {
		out[i] = share(parts[i], wholes[i])
	}
	return out
}

// latest adds the running minute and the one before it: what happens now.
func latest(values []float64) float64 { return add(values[max(0, len(values)-2):]) }

// perSecond is the rate over the running minute and the one before it.
func (x *figures) perSecond(values []float64, now time.Time) float64 {
	begin := x.start.Add(time.Duration(max(x.minutes-2, 0)) * time.Minute)
	if d := now.Sub(begin); d > time.Second {
		return latest(values) / d.Seconds()
	}
	return 0
}

// gaps makes minutes in which nobody reported NaN, so that they are not drawn as a
// time in which nothing happened.
func (x *figures) gaps(values []float64) []float64 {
	out := slices.Clone(values)
	for i := range out {
		if i < len(x.reporting) && x.reporting[i] == 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// leastShown is how many minutes a chart has at least.
const leastShown = 10

// drawn is the part of the minutes that charts show: from the first in which somebody
// reported. Counts of the running minute would look like a fall, so they end before it.
func (x *figures) drawn(running bool) (from, to int) {
	to = x.minutes
	for from < to-leastShown && from < len(x.reporting) && x.reporting[from] == 0 {
		from++
	}
	if !running && to-from > 1 && len(x.reporting) > 1 && x.reporting[len(x.reporting)-2] > 0 {
		to--
	}
	return from, to
}

// lines draws minutes.
func (x *figures) lines(running bool, o chart.Options, series ...chart.Series) template.HTML {
	from, to := x.drawn(running)
	o.From, o.Step = x.start.Add(time.Duration(from)*time.Minute), time.Minute
	for i, s := range series {
		series[i].Values = x.gaps(s.Values)[from:to]
	}
	return chart.Lines(o, series...)
}

// spark draws minutes in a cell.
func (x *figures) spark(values []float64, running bool) template.HTML {
	from, to := x.drawn(running)
	return chart.Spark(x.gaps(values)[from:to], "")
}
