package dashboard

import (
	"fmt"

	"github.com/larder-go/larder/observe"
)

// consistencyTile says whether stale values were observed, by the probe that loads the
// truth beside a few hits.
func consistencyTile(x *figures) tile {
	ft := x.together(caching...)
	probes, stale := ft.total(metricProbes), ft.total(metricProbeStale)
	switch {
	case probes == 0:
		return tile{Label: "Staleness observed", Value: none, Note: "no process probes: values are not compared with their source"}
	case stale == 0:
		return tile{Label: "Staleness observed", Value: "0", Mood: "good", Note: fmt.Sprintf("of %s values compared with their source in the last hour", count(probes))}
	}
	return tile{
		Label: "Staleness observed", Value: percent(share(stale, probes)), Mood: "bad",
		Note: fmt.Sprintf("%s of %s values compared with their source in the last hour were old", count(stale), count(probes)),
	}
}

// healthTile says how the way to Redis is.
func healthTile(v *viewing, x *figures) tile {
	t := tile{Label: "Redis", Value: "in reach", Mood: "good", Note: v.snap.server.Name}
	if n := x.together(caching...).gauge(metricPending); n > 0 {
		t.Value, t.Mood, t.Note = "pending", "warn", count(n)+" invalidations wait to be delivered"
	}
	if n := x.together(observe.Redis).gauge(metricBreaker); n > 0 {
		t.Value, t.Mood, t.Note = "breaker open", "bad", fmt.Sprintf("%s connections send their calls to the source", count(n))
	}
	if v.snap.problem != "" {
		t.Value, t.Mood, t.Note = "away", "bad", v.snap.problem
	}
	return t
}
