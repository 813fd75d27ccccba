package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// Summary is what is shown of a fleet.
type Summary struct {
	At time.Time `json:"at"`
	// Window is the time that rates and ratios are of.
	Window time.Duration `json:"window_ns"`
	// Alive and Gone count processes; Processes are the latest of them.
	Alive     int       `json:"alive"`
	Gone      int       `json:"gone"`
	Processes []Process `json:"processes"`
	Caches    []Cache   `json:"caches"`
	Others    []Other   `json:"others"`
	// HitRatio is of all caches, 0 to 1; -1 where nothing was asked for.
	HitRatio float64 `json:"hit_ratio"`
	// Pending invalidations wait for Redis now.
	Pending float64 `json:"invalidations_pending"`
	// Unreachable is how many Gets, per second, went to the source because Redis did not
	// answer.
	Unreachable float64 `json:"unreachable_per_s"`
	// Shut is over how many connections calls fail at once now: the breaker.
	Shut float64 `json:"connections_shut"`
	// Probed hits were compared with the source, Stale of them were behind it.
	Probed float64 `json:"probed"`
	Stale  float64 `json:"stale"`
	// Incomplete tells that some of the fleet's figures are missing.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Process is one process.
type Process struct {
	Service  string        `json:"service"`
	Instance string        `json:"instance"`
	Alive    bool          `json:"alive"`
	Up       time.Duration `json:"up_ns"`
	Seen     time.Duration `json:"seen_ns"` // how long ago
	Version  string        `json:"version,omitempty"`
}

// Cache is one namespace.
type Cache struct {
	Name string `json:"name"`
	// Gets, Loads and Errors are per second.
	Gets   float64 `json:"gets_per_s"`
	Loads  float64 `json:"loads_per_s"`
	Errors float64 `json:"errors_per_s"`
	// HitRatio and L1Ratio are shares of the Gets; -1 where there were none.
	HitRatio float64       `json:"hit_ratio"`
	L1Ratio  float64       `json:"l1_ratio"`
	ReadP50  time.Duration `json:"read_p50_ns"`
	ReadP99  time.Duration `json:"read_p99_ns"`
	LoadP50  time.Duration `json:"load_p50_ns"`
	LoadP99  time.Duration `json:"load_p99_ns"`
	Pending  float64       `json:"invalidations_pending"`
	Entries  float64       `json:"l1_entries"`
	Bytes    float64       `json:"l1_bytes"`
}

// Other is a feature of another kind, or a node: what left the process for it.
type Other struct {
	Kind   observe.Kind  `json:"kind"`
	Name   string        `json:"name"`
	Calls  float64       `json:"calls_per_s"`
	Errors float64       `json:"errors_per_s"`
	P50    time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
}

// The metrics that are shown.
const (
	hits          = "larder.cache.hits"
	misses        = "larder.cache.misses"
	loads         = "larder.cache.loads"
	loadErrors    = "larder.cache.load_errors"
	l2Errors      = "larder.cache.l2_errors"
	pending       = "larder.cache.invalidations_pending"
	l1Entries     = "larder.cache.l1.entries"
	l1Bytes       = "larder.cache.l1.size"
	probed        = "larder.cache.probe.checked"
	stale         = "larder.cache.probe.stale"
	shut          = "larder.redis.connections_shut"
	cacheDuration = "larder.cache.operation.duration"
)

// Summarize makes figures of what a fleet did. The last minute may still be running; now
// says how much of it there is.
func Summarize(f *telemetry.Fleet, now time.Time) *Summary {
	s := &Summary{At: now, Window: now.Sub(f.Start), Incomplete: f.Incomplete, HitRatio: -1}
	if whole := time.Duration(f.Minutes) * time.Minute; s.Window <= 0 || s.Window > whole {
		s.Window = whole
	}
	for _, p := range f.Processes {
		if p.Alive {
			s.Alive++
		} else {
			s.Gone++
		}
		s.Processes = append(s.Processes, Process{
			Service: p.Service, Instance: p.Instance, Alive: p.Alive, Version: p.Version,
			Up: p.LastSeen.Sub(p.Started), Seen: max(now.Sub(p.LastSeen), 0),
		})
	}
	slices.SortStableFunc(s.Processes, func(a, b Process) int {
		if a.Alive != b.Alive {
			return map[bool]int{true: -1, false: 1}[a.Alive]
		}
		return 0
	})
	seconds := s.Window.Seconds()
	var answered, asked float64
	for _, name := range names(f) {
		if name.Kind != observe.Cache {
			if o := other(f, name, seconds); o.Calls > 0 {
				s.Others = append(s.Others, o)
			}
			continue
		}
		total := func(metric, label string) float64 {
			return f.Total(telemetry.Key{Kind: name.Kind, Name: name.Name, Metric: metric, Label: label})
		}
		h, m := total(hits, ""), total(misses, "")
		answered, asked = answered+h, asked+h+m
		read := f.Distribution(telemetry.Key{Kind: name.Kind, Name: name.Name, Metric: cacheDuration, Label: "read"})
		load := f.Distribution(telemetry.Key{Kind: name.Kind, Name: name.Name, Metric: cacheDuration, Label: "load"})
		s.Caches = append(s.Caches, Cache{
			Name: name.Name, Gets: (h + m) / seconds, Loads: total(loads, "") / seconds,
			Errors:   (total(loadErrors, "") + total(l2Errors, "")) / seconds,
			HitRatio: ratio(h, h+m), L1Ratio: ratio(total(hits, "l1"), h+m),
			ReadP50: read.Quantile(0.5), ReadP99: read.Quantile(0.99), LoadP50: load.Quantile(0.5), LoadP99: load.Quantile(0.99),
			Pending: total(pending, ""), Entries: total(l1Entries, ""), Bytes: total(l1Bytes, ""),
		})
	}
	slices.SortStableFunc(s.Caches, func(a, b Cache) int { return cmp.Compare(b.Gets, a.Gets) })
	s.HitRatio = ratio(answered, asked)
	s.Pending = f.Total(telemetry.Key{Metric: pending})
	s.Unreachable = f.Total(telemetry.Key{Metric: misses, Label: "unreachable"}) / seconds
	s.Shut = f.Total(telemetry.Key{Metric: shut})
	s.Probed, s.Stale = f.Total(telemetry.Key{Metric: probed}), f.Total(telemetry.Key{Metric: stale})
	return s
}

// names lists the subjects, by kind and name.
func names(f *telemetry.Fleet) []telemetry.Key {
	seen := map[telemetry.Key]bool{}
	var all []telemetry.Key
	add := func(k telemetry.Key) {
		if k = (telemetry.Key{Kind: k.Kind, Name: k.Name}); !seen[k] {
			seen[k] = true
			all = append(all, k)
		}
	}
	for i := range f.Series {
		add(f.Series[i].Key)
	}
	for i := range f.Durations {
		add(f.Durations[i].Key)
	}
	slices.SortFunc(all, func(a, b telemetry.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// other sums the operations of a feature that is no cache.
func other(f *telemetry.Fleet, name telemetry.Key, seconds float64) Other {
	o := Other{Kind: name.Kind, Name: name.Name}
	var all []telemetry.Distribution
	for i := range f.Durations {
		d := &f.Durations[i]
		if d.Kind == name.Kind && d.Name == name.Name && isOperation(d.Metric) {
			all = append(all, d.Total())
		}
	}
	d := telemetry.Merge(all...)
	o.Calls, o.P50, o.P99 = float64(d.Count())/seconds, d.Quantile(0.5), d.Quantile(0.99)
	for s := range f.Each(name) {
		if strings.HasSuffix(s.Metric, ".operation.errors") {
			o.Errors += s.Total() / seconds
		}
	}
	return o
}

// isOperation tells the durations of operations from others.
func isOperation(metric string) bool {
	return strings.HasSuffix(metric, ".operation.duration") || metric == "http.server.request.duration"
}

// ratio is part of whole, -1 where there is nothing to divide.
func ratio(part, whole float64) float64 {
	if whole == 0 {
		return -1
	}
	return part / whole
}
