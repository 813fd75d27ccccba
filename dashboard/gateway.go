package dashboard

import (
	"cmp"
	"slices"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// commandRow is one command, or one method of HTTP.
type commandRow struct {
	Name     string
	N        float64
	P50, P99 time.Duration
}

type gatewayHead struct {
	Names  []string
	Server server
}

func (d *Dashboard) gateway(v *viewing) []panel {
	x := v.snap.figures
	head := gatewayHead{Server: v.snap.server}
	for _, s := range v.snap.names(observe.Gateway) {
		head.Names = append(head.Names, s.name)
	}
	panels := []panel{{ID: "gateway", Template: "gateway", Wide: true, Data: head}}
	if len(head.Names) > 0 {
		ft := x.together(observe.Gateway)
		if c, ok := durationChart(x, ft, metricRequests, "Requests each minute"); ok {
			panels = append(panels, panel{ID: "requests", Template: "chart", Data: c})
		}
		panels = append(panels, panel{ID: "methods", Template: "commands", Data: commandTable{
			"Requests to the gateway", "method", commandRows(ft, metricRequests),
		}})
		for i, name := range head.Names {
			if i == 8 {
				break
			}
			panels = append(panels, panel{ID: "tally-" + word(i), Template: "named-tally", Wide: true, Data: struct {
				Name    string
				Figures []tally
			}{name, x.tallies(observe.Gateway, name, v.now)}})
		}
	}
	redis := x.together(observe.Redis)
	if c, ok := durationChart(x, redis, metricCommands, "Commands to Redis each minute, of all processes"); ok {
		panels = append(panels, panel{ID: "redis", Template: "chart", Data: c})
	}
	return append(panels, panel{ID: "commands", Template: "commands", Data: commandTable{
		"Commands to Redis, of all processes", "command", commandRows(redis, metricCommands),
	}})
}

type commandTable struct {
	Title, Name string
	Rows        []commandRow
}

// commandRows lists what was timed by label, the most frequent first.
func commandRows(ft *feature, metric string) []commandRow {
	const most = 25
	by := map[string][]telemetry.Distribution{}
	for _, d := range ft.durations {
		if d.Metric == metric {
			by[d.Label] = append(by[d.Label], d.Values...)
		}
	}
	var rows []commandRow
	for label, list := range by {
		if dist := telemetry.Merge(list...); dist.Count() > 0 {
			rows = append(rows, commandRow{label, float64(dist.Count()), dist.Quantile(.5), dist.Quantile(.99)})
		}
	}
	slices.SortFunc(rows, func(a, b commandRow) int {
		return cmp.Or(compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return rows[:min(len(rows), most)]
}

// durationChart draws how often something that is timed was done.
func durationChart(x *figures, ft *feature, metric, title string) (chartOf, bool) {
	all := make([]float64, x.minutes)
	for _, d := range ft.durations {
		if d.Metric == metric {
			all = plus(all, counts(d))
		}
	}
	n := add(all)
	return chartOf{Title: title, SVG: x.lines(false, chart.Options{
		Says: title + " over the last hour: " + count(n) + " altogether", Format: count, Area: true,
	}, chart.Series{Name: "each minute", Values: all})}, n > 0
}
