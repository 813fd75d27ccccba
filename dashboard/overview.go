package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
)

// caching are the kinds of features whose figures are a cache's.
var caching = []observe.Kind{observe.Cache, observe.SQL}

// tile is one figure in large type.
type tile struct {
	Label, Value string
	// Note explains the figure, or puts another beside it.
	Note string
	// Mood is "good", "warn" or "bad" where the figure says that something is.
	Mood string
	// Spark is the last hour, if it has one.
	Spark template.HTML
}

// traffic is what caches were asked and what they answered, minute by minute.
type traffic struct {
	l1, l2, misses, hits, requests, loads, coalesced []float64
}

func trafficOf(ft *feature) traffic {
	t := traffic{
		l1: ft.counts(metricHits, "l1"), l2: ft.counts(metricHits, "l2"), misses: ft.counts(metricMisses, ""),
		loads: ft.counts(metricLoads, ""), coalesced: ft.counts(metricCoalesced, ""),
	}
	t.hits = plus(t.l1, t.l2)
	t.requests = plus(t.hits, t.misses)
	return t
}

func (t traffic) ratio() float64     { return share(add(t.hits), add(t.requests)) }
func (t traffic) ratioNow() float64  { return share(latest(t.hits), latest(t.requests)) }
func (t traffic) ratios() []float64  { return shares(t.hits, t.requests) }
func (t traffic) avoided() float64   { return max(add(t.requests)-add(t.loads), 0) }
func (t traffic) isQuiet() bool      { return add(t.requests) == 0 }
func (t traffic) avoidance() float64 { return share(t.avoided(), add(t.requests)) }

// overview is the page that one leaves open.
func (d *Dashboard) overview(v *viewing) []panel {
	x := v.snap.figures
	ft := x.together(caching...)
	t := trafficOf(ft)
	panels := []panel{{ID: "tiles", Template: "tiles", Wide: true, Data: overviewTiles(v, ft, t)}}
	if t.isQuiet() {
		panels = append(panels, panel{ID: "quiet", Template: "quiet", Wide: true, Data: v.snap})
	} else {
		panels = append(panels,
			panel{ID: "requests", Template: "chart", Data: requestChart(x, t)},
			panel{ID: "ratio", Template: "chart", Data: ratioChart(x, t)},
			panel{ID: "latency", Template: "latency", Data: latencies(ft)},
			panel{ID: "misses", Template: "reasons", Data: reasonsOf(ft)},
		)
	}
	return append(panels,
		panel{ID: "recent", Template: "recent", Data: struct {
			Events []happening
			Now    time.Time
		}{d.events.recent(6), v.now}},
		panel{ID: "fleet", Template: "fleet", Data: fleetOf(v)},
	)
}

func overviewTiles(v *viewing, ft *feature, t traffic) []tile {
	x := v.snap.figures
	l1 := share(add(t.l1), add(t.requests))
	tiles := []tile{
		{
			Label: "Hit ratio", Value: percent(t.ratioNow()), Spark: x.spark(t.ratios(), true),
			Note: fmt.Sprintf("%s in the last hour; %s from the process", percent(t.ratio()), percent(l1)),
		},
		{
			Label: "Requests", Value: rate(x.perSecond(t.requests, v.now)), Spark: x.spark(t.requests, false),
			Note: count(add(t.requests)) + " in the last hour",
		},
		avoidedTile(ft, t),
		errorTile(ft),
	}
	return append(tiles, consistencyTile(x), healthTile(v, x))
}

// avoidedTile says how much work the source was spared.
func avoidedTile(ft *feature, t traffic) tile {
	tl := tile{Label: "Source load avoided", Value: percent(t.avoidance()), Note: count(add(t.loads)) + " loads in the last hour"}
	if mean := ft.distribution(verbLoad).Mean(); mean > 0 {
		saved := time.Duration(math.Min(t.avoided()*float64(mean), math.MaxInt64/2))
		tl.Note += ", about " + span(saved) + " of its time saved"
	}
	return tl
}

func errorTile(ft *feature) tile {
	l2, load := ft.total(metricL2Errors), ft.total(metricLoadErrors)
	tl := tile{Label: "Errors", Value: count(l2 + load), Note: "in the last hour, of Redis and of the source", Mood: "good"}
	if l2+load > 0 {
		tl.Mood = "warn"
		tl.Note = fmt.Sprintf("in the last hour: %s of Redis, %s of the source", count(l2), count(load))
	}
	return tl
}

// requestChart shows who answered.
func requestChart(x *figures, t traffic) chartOf {
	return chartOf{
		Title: "Requests each minute, by who answered",
		SVG: x.lines(false, chart.Options{
			Says: fmt.Sprintf("Requests each minute over the last hour: %s answered by the process, %s by Redis, %s were misses",
				count(add(t.l1)), count(add(t.l2)), count(add(t.misses))),
			Format: count, Stacked: true,
		},
			chart.Series{Name: "the process (L1)", Values: t.l1},
			chart.Series{Name: "Redis (L2)", Values: t.l2},
			chart.Series{Name: "misses", Values: t.misses}),
	}
}

func ratioChart(x *figures, t traffic) chartOf {
	ratios := t.ratios()
	lowest, at := math.Inf(1), 0
	for i, r := range ratios {
		if isNumber(r) && r < lowest {
			lowest, at = r, i
		}
	}
	return chartOf{
		Title: "Hit ratio",
		SVG: x.lines(true, chart.Options{
			Says: fmt.Sprintf("Hit ratio over the last hour: %s altogether, %s now, lowest %s at %s",
				percent(t.ratio()), percent(t.ratioNow()), percent(lowest), clock(x.start.Add(time.Duration(at)*time.Minute))),
			Format: percent, Scale: wholePercent, Top: 1, Area: true,
		}, chart.Series{Name: "hit ratio", Values: ratios}),
	}
}

// chartOf is a panel with a chart.
type chartOf struct {
	Title, Note string
	SVG         template.HTML
}

// latency is how long one step takes.
type latency struct {
	Step, Meaning string
	Count         float64
	P50, P99      time.Duration
}

func latencies(ft *feature) []latency {
	var out []latency
	for _, s := range []struct{ verb, step, meaning string }{
		{verbRead, "Read from Redis", "the second tier: one round trip, several keys at once where asked for"},
		{verbLoad, "Load from the source", "what a miss costs"},
		{verbFill, "Store in Redis", "after a load"},
	} {
		if dist := ft.distribution(s.verb); dist.Count() > 0 {
			out = append(out, latency{s.step, s.meaning, float64(dist.Count()), dist.Quantile(.5), dist.Quantile(.99)})
		}
	}
	return out
}

// reasonWords explain why there was a miss.
var reasonWords = map[string]string{
	"absent":      "not there",
	"expired":     "past its TTL",
	"tag":         "a tag was invalidated",
	"generation":  "the namespace was invalidated",
	"schema":      "of another type or codec",
	"corrupt":     "unreadable",
	"incarnation": "from before a restart of Redis",
	"loading":     "being loaded by another",
	"lost_lease":  "its loader was lost",
	"barrier":     "being written",
	"pending":     "an invalidation is pending",
	"unreachable": "Redis did not answer",
}

func reasonsOf(ft *feature) []labelled {
	list := ft.labels(metricMisses)
	sum := 0.0
	for _, l := range list {
		sum += l.N
	}
	for i := range list {
		list[i].Share = share(list[i].N, sum)
		if words := reasonWords[list[i].Label]; words != "" {
			list[i].Label = words
		}
	}
	return list
}
