package telemetry

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
)

// What begins and ends is said once; what goes on, once a minute.
func TestNotices(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	n := newNoticer(slog.New(slog.NewTextHandler(&log, nil)))
	waiting := &observe.Metric{Name: "larder.cache.invalidations_pending", Instrument: observe.Gauge}
	stale := &observe.Metric{Name: "larder.cache.probe.stale", Label: "larder.delay"}
	t0 := time.Unix(1_790_000_000, 0)
	said := func(want ...string) {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if log.Len() == 0 {
			lines = nil
		}
		log.Reset()
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d: %q", len(lines), len(want), lines)
		}
		for i, w := range want {
			for part := range strings.SplitSeq(w, "|") {
				if !strings.Contains(lines[i], part) {
					t.Errorf("no %q in %s", part, lines[i])
				}
			}
		}
	}
	at := func(s int, pending, found float64) {
		sample := map[series]float64{}
		if pending > 0 {
			sample[series{observe.Cache, "user", waiting, ""}] = pending
		}
		if found > 0 {
			sample[series{observe.Cache, "user", stale, "1s"}] = found
		}
		n.look(t.Context(), t0.Add(time.Duration(s)*time.Second), sample)
	}
	at(0, 0, 0)
	said()
	at(5, 3, 0)
	said("level=WARN|could not be delivered|name=user|count=3")
	at(10, 7, 0)
	said()
	at(15, 0, 0)
	said("level=INFO|all invalidations are delivered|name=user")
	at(20, 0, 2)
	said("level=ERROR|not the source's|what=1s|count=2")
	at(25, 0, 5)
	said()
	at(90, 0, 6)
	said("count=4") // 3 that were not said, and 1
	at(95, 0, 6)
	said()
}
