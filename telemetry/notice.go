package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/larder-go/larder/observe"
)

// notice is a change of a figure that operators want to hear of.
type notice struct {
	metric string
	// label restricts it to one value of the metric's label; empty means any.
	label string
	// began is said when a gauge leaves 0, or when a counter has grown; over when a gauge
	// is 0 again.
	began, over string
	level       slog.Level
}

// notices are derived from the figures of features, at every sample.
var notices = []notice{
	{
		metric: "larder.cache.invalidations_pending", level: slog.LevelWarn,
		began: "telemetry: invalidations could not be delivered and wait for Redis",
		over:  "telemetry: all invalidations are delivered",
	},
	{
		metric: "larder.redis.connections_shut", level: slog.LevelWarn,
		began: "telemetry: a connection to Redis is shut, and calls go to the source",
		over:  "telemetry: a connection to Redis is open again",
	},
	{
		metric: "larder.cache.probe.stale", level: slog.LevelError,
		began: "telemetry: the consistency probe has found values that are not the source's",
	},
	{
		metric: "larder.cache.misses", label: "unreachable", level: slog.LevelWarn,
		began: "telemetry: Redis did not answer, and Gets went to the source",
	},
	{
		metric: "larder.cache.misses", label: "corrupt", level: slog.LevelWarn,
		began: "telemetry: unreadable entries were found",
	},
	{
		metric: "larder.ratelimit.away", level: slog.LevelWarn,
		began: "telemetry: Redis did not answer, and limits were decided without it",
	},
	{
		metric: "larder.topic.gaps", level: slog.LevelWarn,
		began: "telemetry: subscribers have missed messages",
	},
}

// repeatNotice is how long a notice of one feature is not repeated.
const repeatNotice = time.Minute

// said is what is noticed: one notice of one feature.
type said struct {
	notice     int
	kind       observe.Kind
	name, what string
}

// noticer logs changes. Owned by whoever holds the turn of its Telemetry.
type noticer struct {
	log  *slog.Logger
	last map[said]float64   // gauges as of the last look; counters as of the last notice
	when map[said]time.Time // of the last notice
}

func newNoticer(log *slog.Logger) *noticer {
	return &noticer{log: log, last: map[said]float64{}, when: map[said]time.Time{}}
}

// look compares a sample with what was said before.
func (n *noticer) look(ctx context.Context, now time.Time, sample map[series]float64) {
	seen := map[said]float64{}
	for s, v := range sample {
		for i := range notices {
			if notices[i].metric == s.metric.Name && (notices[i].label == "" || notices[i].label == s.label) {
				seen[said{i, s.kind, s.name, s.label}] += v
			}
		}
	}
	for k, v := range seen {
		rule, before := notices[k.notice], n.last[k]
		switch grown := v - before; {
		case grown <= 0, rule.over != "" && before > 0: // nothing new
		case now.Sub(n.when[k]) < repeatNotice:
			if rule.over == "" {
				seen[k] = before // said with the next notice
			}
		default:
			n.when[k] = now
			n.log.LogAttrs(ctx, rule.level, rule.began, append(attributesOf(k), slog.Float64("count", grown))...) //nolint:sloglint // a constant of the table above
		}
	}
	for k, before := range n.last {
		if rule := notices[k.notice]; rule.over != "" && before > 0 && seen[k] == 0 {
			n.log.LogAttrs(ctx, slog.LevelInfo, rule.over, attributesOf(k)...) //nolint:sloglint // a constant of the table above
		}
	}
	n.last = seen
}

func attributesOf(k said) []slog.Attr {
	attrs := []slog.Attr{slog.String("kind", string(k.kind)), slog.String("name", k.name)}
	if k.what != "" {
		attrs = append(attrs, slog.String("what", k.what))
	}
	return attrs
}
