package dashboard

import (
	"html/template"
	"strings"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// tally is a row of figures, for the features whose pages show all that is counted.
type tally struct {
	Name, Label string
	Value       string // in the last hour, or now
	Now         string
	Spark       template.HTML
}

// tallies lists all that is counted of a feature.
func (x *figures) tallies(kind observe.Kind, name string, now time.Time) []tally {
	ft := x.of(kind, name)
	type id struct{ metric, label string }
	var order []id
	sums := map[id]*telemetry.Series{}
	for _, s := range ft.series {
		k := id{s.Metric, s.Label}
		if sums[k] == nil {
			sums[k] = s
			order = append(order, k)
		}
	}
	var rows []tally
	for _, k := range order {
		s := sums[k]
		row := tally{Name: words(k.metric), Label: k.label, Spark: x.spark(s.Values, s.Instrument == observe.Gauge)}
		if s.Instrument == observe.Gauge {
			v := ft.gauge(k.metric)
			row.Value = amount(v, s.Unit)
		} else {
			row.Value = amount(s.Total(), s.Unit)
			row.Now = rate(x.perSecond(s.Values, now))
		}
		rows = append(rows, row)
	}
	for _, dur := range ft.durations {
		dist := dur.Total()
		if dist.Count() == 0 {
			continue
		}
		rows = append(rows, tally{
			Name: words(dur.Metric), Label: dur.Label,
			Value: "p50 " + span(dist.Quantile(.5)), Now: "p99 " + span(dist.Quantile(.99)), Spark: x.spark(counts(dur), false),
		})
	}
	return rows
}

func counts(d *telemetry.Durations) []float64 {
	out := make([]float64, len(d.Values))
	for i, v := range d.Values {
		out[i] = float64(v.Count())
	}
	return out
}

// words makes a metric's name one for people: what it is of stands above the table.
func words(metric string) string {
	if rest, ok := strings.CutPrefix(metric, "larder."); ok {
		_, metric, _ = strings.Cut(rest, ".")
	}
	return strings.NewReplacer(".", " ", "_", " ").Replace(metric)
}

func amount(v float64, unit string) string {
	if unit == "By" {
		return size(v)
	}
	return count(v)
}

// byLabel makes a series for each label of a metric, the first few of the most frequent.
func (ft *feature) byLabel(metric string) (out []chart.Series) {
	const most = 5
	for _, l := range ft.labels(metric) {
		if len(out) < most {
			name := l.Label
			if name == "" {
				name = "refused"
			}
			out = append(out, chart.Series{Name: strings.ReplaceAll(name, "_", " "), Values: ft.counts(metric, l.Label)})
		}
	}
	return out
}
