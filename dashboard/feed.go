package dashboard

import (
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
)

// feed is the page of events.
func (d *Dashboard) feed(v *viewing) []panel {
	x := v.snap.figures
	ft := x.together(caching...)
	invalidated, pushes := ft.counts(metricInvalidated, ""), ft.counts(metricPushes, "")
	return []panel{
		{ID: "events", Template: "events", Wide: true, Data: struct {
			Events []happening
			Now    time.Time
			Topics []string
			Most   int
		}{d.events.recent(100), v.now, d.opts.Topics, maxEvents}},
		{ID: "churn", Template: "chart", Wide: true, Data: chartOf{
			Title: "Invalidations and writes, and the keys that processes heard of, each minute",
			Note:  "An invalidation of one key leaves nothing behind in Redis, so it is counted here and not listed above.",
			SVG: x.lines(false, chart.Options{
				Says:   count(add(invalidated)) + " invalidations and writes, " + count(add(pushes)) + " keys heard of, in the last hour",
				Format: count,
			}, chart.Series{Name: "invalidations and writes", Values: invalidated},
				chart.Series{Name: "keys heard of", Values: pushes}),
		}},
	}
}
