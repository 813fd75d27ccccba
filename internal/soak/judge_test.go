package soak

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// series makes a run of samples, one a second, whose heap is what value says.
func run(seconds int, value func(s float64) float64) []Sample {
	samples := make([]Sample, 0, seconds)
	for s := 1; s <= seconds; s++ {
		samples = append(samples, Sample{
			After: time.Duration(s) * time.Second, Heap: int64(value(float64(s))),
			RSS: -1, Goroutines: 40, Files: 12, Keys: 100, ServerMemory: -1, ServerClients: 9,
		})
	}
	return samples
}

func TestJudge(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	const base, step = 20 << 20, 1 << 20
	for name, tt := range map[string]struct {
		value func(s float64) float64
		leak  bool
	}{
		"nothing happens":               {func(float64) float64 { return base }, false},
		"noise":                         {func(float64) float64 { return base + rng.Float64()*4*step }, false},
		"a slow leak":                   {func(s float64) float64 { return base + s/180*5*step }, true},
		"a slow leak in noise":          {func(s float64) float64 { return base + s/180*10*step + rng.Float64()*4*step }, true},
		"a leak below the tolerance":    {func(s float64) float64 { return base + s/180*step }, false},
		"a leak in steps":               {func(s float64) float64 { return base + math.Floor(s/10)*step }, true},
		"a wave of garbage":             {func(s float64) float64 { return base + math.Mod(s, 37)/37*8*step }, false},
		"a wave that drifts":            {func(s float64) float64 { return base + math.Mod(s, 17)/17*4*step + s/180*8*step }, true},
		"warm-up, then flat":            {func(s float64) float64 { return base + min(s, 40)/40*30*step }, false},
		"falls":                         {func(s float64) float64 { return 2*base - s/180*10*step }, false},
		"a spike in the second half":    {func(s float64) float64 { return base + spike(s, 140, 155)*50*step }, false},
		"a spike at the end":            {func(s float64) float64 { return base + spike(s, 175, 181)*50*step }, false},
		"a wave longer than the second": {func(s float64) float64 { return base + (1+math.Sin(s/12))*2*step }, false},
	} {
		verdicts, err := Judge(run(180, tt.value), 180*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			if want := v.Figure == "heap" && tt.leak; v.Leak != want {
				t.Errorf("%s: %s: leak %v, want %v: %+v", name, v.Figure, v.Leak, want, v)
			}
			if known := v.Figure != "rss" && v.Figure != "server memory"; v.Known != known {
				t.Errorf("%s: %s: known %v, want %v", name, v.Figure, v.Known, known)
			}
		}
	}
}

func spike(s, from, to float64) float64 {
	if s >= from && s < to {
		return 1
	}
	return 0
}

// Every figure can be the one that leaks.
func TestJudgeOfEachFigure(t *testing.T) {
	t.Parallel()
	for _, f := range figures {
		samples := run(120, func(float64) float64 { return 20 << 20 })
		for i := range samples {
			s := &samples[i]
			*s = Sample{
				After: s.After, Heap: 20 << 20, RSS: 80 << 20, Goroutines: 40, Files: 12, Keys: 100, ServerMemory: 4 << 20, ServerClients: 9,
			}
			for _, p := range []struct {
				name string
				n    *int64
			}{
				{"heap", &s.Heap},
				{"rss", &s.RSS},
				{"goroutines", &s.Goroutines},
				{"file descriptors", &s.Files},
				{"keys", &s.Keys},
				{"keys without expiry", &s.Immortal},
				{"server memory", &s.ServerMemory},
				{"server clients", &s.ServerClients},
			} {
				if p.name == f.name {
					*p.n += int64(i) * (*p.n/40 + 1)
				}
			}
		}
		verdicts, err := Judge(samples, 120*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			if v.Leak != (v.Figure == f.name) || !v.Known {
				t.Errorf("%s grows; %+v", f.name, v)
			}
		}
	}
}

// One key without an expiry is one too many, however early it was seen.
func TestJudgeOfKeysWithoutExpiry(t *testing.T) {
	t.Parallel()
	samples := run(60, func(float64) float64 { return 1 })
	samples[2].Immortal = 1
	verdicts, err := Judge(samples, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Leak != (v.Figure == immortal) {
			t.Errorf("%+v", v)
		}
	}
}

// A run without enough samples has no verdict, and the report of one is a failure.
func TestJudgeNeedsSamples(t *testing.T) {
	t.Parallel()
	if v, err := Judge(run(20, func(float64) float64 { return 1 }), 20*time.Second); err == nil {
		t.Errorf("judged by 10 samples: %+v", v)
	}
	if v, err := Judge(nil, time.Hour); err == nil {
		t.Errorf("judged by nothing: %+v", v)
	}
	if (Report{}).Err() == nil {
		t.Error("a report without verdicts is no failure")
	}
}

// A server that is away for most of the time is not judged, and nothing passes for 0.
func TestJudgeOfFiguresThatAreMissing(t *testing.T) {
	t.Parallel()
	samples := run(60, func(float64) float64 { return 1 })
	for i := range samples {
		if i%10 > 0 {
			samples[i].Keys = -1
		}
	}
	verdicts, err := Judge(samples, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Figure == "keys" && (v.Known || v.Leak || v.First != 0) {
			t.Errorf("%+v", v)
		}
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	var series []point
	for s := range 40 {
		series = append(series, point{time.Duration(s) * time.Second, float64(3 * s)})
	}
	for i := range 8 { // a fifth of the points is wrong
		series[5*i].value = 1e9
	}
	if got := slope(series); got < 2.9 || got > 3.1 {
		t.Errorf("got %v, want 3", got)
	}
	if got := slope(nil); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
