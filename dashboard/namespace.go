package dashboard

import (
	"fmt"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

// namespaceHead is what a namespace is, and what may be done to it.
type namespaceHead struct {
	Name     string
	Kind     observe.Kind
	Known    bool
	Valid    bool
	ReadOnly bool
	Last     generation.Value
	LastAt   time.Time
	Now      time.Time
}

// lives compares what was declared with what was seen.
type lives struct {
	Declared strategy.Declaration
	Service  string
	Warnings []string
	Has      bool
	Space    keyspace.Space
	Share    float64
	L1       float64
	L1Bytes  float64
	Evicted  float64
}

func (d *Dashboard) namespace(v *viewing) []panel {
	name := v.query.Get("name")
	s := subject{observe.Cache, name}
	if k := observe.Kind(v.query.Get("kind")); k == observe.SQL {
		s.kind = k
	}
	x := v.snap.figures
	ft := x.of(s.kind, s.name)
	t := trafficOf(ft)
	claim, has := v.snap.claims[s]
	space, seen := v.snap.census.Spaces[name]
	head := namespaceHead{
		Name: name, Kind: s.kind, Known: has || seen || len(ft.series) > 0, Valid: inspect.CheckNamespace(name) == nil,
		ReadOnly: d.opts.ReadOnly, Now: v.now,
	}
	head.Last, head.LastAt = v.snap.generation(generation.NamespaceKey(name))
	panels := []panel{{ID: "head", Template: "namespace", Wide: true, Data: head}}
	if !head.Known {
		return panels
	}
	panels = append(panels, panel{ID: "tiles", Template: "tiles", Wide: true, Data: namespaceTiles(v, ft, t)})
	if !t.isQuiet() {
		panels = append(panels,
			panel{ID: "requests", Template: "chart", Data: requestChart(x, t)},
			panel{ID: "ratio", Template: "chart", Data: ratioChart(x, t)},
			panel{ID: "latency", Template: "latency", Data: latencies(ft)},
			panel{ID: "misses", Template: "reasons", Data: reasonsOf(ft)},
		)
	}
	l := lives{
		Declared: claim.Declaration, Has: has, Warnings: v.snap.warningsOf(s), Space: space, Share: v.snap.census.Share, Evicted: ft.total(metricL1Evictions),
	}
	if has {
		l.Service = claim.Name
	}
	l.L1 = ft.gauge(metricL1Entries)
	l.L1Bytes = ft.gauge(metricL1Bytes)
	return append(panels,
		panel{ID: "lives", Template: "lives", Data: l},
		panel{ID: "strategy", Template: "strategy", Data: l},
		panel{ID: "churn", Template: "chart", Wide: true, Data: churnChart(x, ft)},
	)
}

func namespaceTiles(v *viewing, ft *feature, t traffic) []tile {
	x := v.snap.figures
	return []tile{
		{
			Label: "Hit ratio", Value: percent(t.ratioNow()), Spark: x.spark(t.ratios(), true),
			Note: percent(t.ratio()) + " in the last hour",
		},
		{
			Label: "Requests", Value: rate(x.perSecond(t.requests, v.now)), Spark: x.spark(t.requests, false),
			Note: count(add(t.requests)) + " in the last hour",
		},
		avoidedTile(ft, t),
		errorTile(ft),
	}
}

// churnChart shows what replaces values.
func churnChart(x *figures, ft *feature) chartOf {
	invalidated, fills, refused := ft.counts(metricInvalidated, ""), ft.counts(metricFills, ""), ft.counts(metricRefused, "")
	return chartOf{
		Title: "What replaces values, each minute",
		Note:  "A refused fill is a load that an invalidation overtook: its value is not stored.",
		SVG: x.lines(false, chart.Options{
			Says: fmt.Sprintf("Over the last hour: %s fills, %s invalidations and writes, %s refused fills",
				count(add(fills)), count(add(invalidated)), count(add(refused))),
			Format: count,
		},
			chart.Series{Name: "fills", Values: fills},
			chart.Series{Name: "invalidations and writes", Values: invalidated},
			chart.Series{Name: "refused fills", Values: refused}),
	}
}
