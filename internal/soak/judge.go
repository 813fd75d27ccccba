package soak

import (
	"fmt"
	"time"
)

// warmUp is the part of a run that is not judged, at least minWarmUp: pools fill,
// lifetimes of seconds pass for the first time.
const (
	warmUp    = 4 // a fourth
	minWarmUp = lifetime + lifetime/2
	// enough is how many samples a judgement needs.
	enough = 12
)

// Tolerance is how much a figure may grow between the end of the warm-up and the
// end of the run: the larger of an amount and a share of what it was.
type Tolerance struct {
	Amount float64 `json:"amount"`
	Share  float64 `json:"share"`
}

func (t Tolerance) of(base float64) float64 { return max(t.Amount, t.Share*base) }

// figure is one series that is judged.
type figure struct {
	name      string
	bytes     bool // shown as MiB
	value     func(Sample) int64
	tolerance Tolerance
}

// figures are judged in every run. The shares are what scheduling and garbage make
// of a run that leaks nothing, several times over; the amounts are for small figures.
var figures = []figure{
	{"heap", true, func(s Sample) int64 { return s.Heap }, Tolerance{2 << 20, 0.10}},
	{"rss", true, func(s Sample) int64 { return s.RSS }, Tolerance{48 << 20, 0.30}},
	{"goroutines", false, func(s Sample) int64 { return s.Goroutines }, Tolerance{12, 0.10}},
	{"file descriptors", false, func(s Sample) int64 { return s.Files }, Tolerance{8, 0.10}},
	{"keys", false, func(s Sample) int64 { return s.Keys }, Tolerance{50, 0.10}},
	{"keys without expiry", false, func(s Sample) int64 { return s.Immortal }, Tolerance{}},
	{"server memory", true, func(s Sample) int64 { return s.ServerMemory }, Tolerance{2 << 20, 0.15}},
	{"server clients", false, func(s Sample) int64 { return s.ServerClients }, Tolerance{6, 0.10}},
}

// Verdict is the judgement on one figure.
type Verdict struct {
	Figure string `json:"figure"`
	// Known is false where the system or the server did not tell; then nothing
	// else is set.
	Known bool `json:"known"`
	// First and Second are the medians of the two halves after the warm-up.
	First  float64 `json:"first_half"`
	Second float64 `json:"second_half"`
	// Growth is how much it grew in that time, Allowed how much it might.
	Growth  float64 `json:"growth"`
	Allowed float64 `json:"allowed"`
	// Leak says that it grew more.
	Leak bool `json:"leak"`

	bytes  bool
	series []point // of the whole run
}

// Judge looks for a trend in each figure after the warm-up of a run that lasted so
// long. A figure leaks if it grew by more than its tolerance by both of two
// estimates: the slope between the points (Theil–Sen) times the time, and twice the
// rise of the floor from the first half to the second. The first is not moved by
// spikes, the second not by waves, such as those of expiry and garbage collection;
// a step that happens once counts in part. Keys without an expiry may not exist at
// any time.
//
// It fails where there are too few samples to tell: a run without a verdict is not
// one without a leak.
func Judge(samples []Sample, lasted time.Duration) ([]Verdict, error) {
	judged := afterWarmUp(samples, lasted)
	if len(judged) < enough {
		return nil, fmt.Errorf("soak: %d samples after the warm-up of %v; a judgement needs %d", len(judged), warmsUp(lasted), enough)
	}
	verdicts := make([]Verdict, 0, len(figures))
	for _, f := range figures {
		v := Verdict{Figure: f.name, bytes: f.bytes, series: f.series(samples)}
		if f.name == immortal {
			v.judgeExistence(f.series(judged), v.series)
		} else {
			v.judge(f.series(judged), f.tolerance)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

func warmsUp(lasts time.Duration) time.Duration {
	return max(lasts/warmUp, min(minWarmUp, lasts/2))
}

func afterWarmUp(samples []Sample, lasts time.Duration) (judged []Sample) {
	for _, s := range samples {
		if s.After >= warmsUp(lasts) {
			judged = append(judged, s)
		}
	}
	return judged
}

// judgeable tells whether there are enough samples, also of a server that was away for
// some of them.
func judgeable(samples []Sample, lasts time.Duration) bool {
	return len(afterWarmUp(samples, lasts)) >= 2*enough
}

const immortal = "keys without expiry"

// series leaves absent figures out.
func (f figure) series(samples []Sample) []point {
	var out []point
	for _, s := range samples {
		if v := f.value(s); v >= 0 {
			out = append(out, point{s.After, float64(v)})
		}
	}
	return out
}

func (v *Verdict) judge(series []point, t Tolerance) {
	if len(series) < enough {
		return
	}
	first, second := halves(series)
	v.Known = true
	v.First, v.Second = middle(first), middle(second)
	passed := (series[len(series)-1].at - series[0].at).Seconds()
	v.Growth = min(slope(series)*passed, 2*(floor(second)-floor(first)))
	v.Allowed = t.of(v.First)
	v.Leak = v.Growth > v.Allowed
}

// judgeExistence is for what may not exist at all, in the warm-up neither.
func (v *Verdict) judgeExistence(judged, whole []point) {
	if len(judged) < enough {
		return
	}
	first, second := halves(judged)
	v.Known = true
	v.First, v.Second = middle(first), middle(second)
	for _, p := range whole {
		v.Growth = max(v.Growth, p.value)
	}
	v.Leak = v.Growth > 0
}
