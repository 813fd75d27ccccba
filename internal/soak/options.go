package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The defaults of Options.
const (
	DefaultFor  = 30 * time.Minute
	DefaultRate = 50
)

// The limits of Options.
const (
	MinFor  = 10 * time.Second
	MaxFor  = 7 * 24 * time.Hour
	MaxRate = 10_000
)

// The bounds of the default of Options.Every.
const (
	minEvery = 250 * time.Millisecond
	maxEvery = 10 * time.Second
	// samplesAimed is how many samples a run has, unless they are further apart
	// than maxEvery.
	samplesAimed = 60
)

// Options say how long to run, on what, and how hard. The zero value is valid.
type Options struct {
	// For is how long the load lasts. 0 means DefaultFor (30 min); MinFor to MaxFor.
	For time.Duration
	// Redis is the URL of a server; empty means the embedded engine. On a server
	// that is not empty only this run's own keys are looked at, and its memory is
	// not judged.
	Redis string
	// Postgres is the URL of a PostgreSQL database, in which a schema is made and
	// dropped at the end. Empty means SQLite, in a temporary folder.
	Postgres string
	// Rate is how many operations each workload begins per second. 0 means
	// DefaultRate (50); 1 to MaxRate.
	Rate int
	// Every is the time between two samples. 0 means a sixtieth of For, 250 ms to
	// 10 s; otherwise at least 10 ms, and at most a fortieth of For.
	Every time.Duration
	// Seed chooses keys and operations. 0 means 1.
	Seed uint64
	// Leak leaks on purpose, with each sample: some of Leaks, separated by commas.
	// The run then has to fail.
	Leak string
	// Progress hears of every sample, from one goroutine. Nil means that nobody
	// listens.
	Progress func(passed, total time.Duration, s Sample)
}

func (o Options) withDefaults() Options {
	if o.For == 0 {
		o.For = DefaultFor
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Every == 0 {
		o.Every = min(max(o.For/samplesAimed, minEvery), maxEvery)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Progress == nil {
		o.Progress = func(time.Duration, time.Duration, Sample) {}
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.For < MinFor || o.For > MaxFor:
		return optionError("For", o.For, fmt.Sprintf("%v to %v, or 0 for %v", MinFor, MaxFor, DefaultFor))
	case o.Rate < 1 || o.Rate > MaxRate:
		return optionError("Rate", o.Rate, fmt.Sprintf("1 to %d, or 0 for %d", MaxRate, DefaultRate))
	case o.Every < 10*time.Millisecond || o.Every > o.For/40:
		return optionError("Every", o.Every, fmt.Sprintf("10ms to %v, a fortieth of For", o.For/40))
	}
	for _, kind := range o.leaks() {
		if !slices.Contains(Leaks, kind) {
			return optionError("Leak", kind, strings.Join(Leaks, ", "))
		}
	}
	return nil
}

func (o Options) leaks() []string {
	if o.Leak == "" {
		return nil
	}
	return strings.Split(o.Leak, ",")
}

// OptionError says which field of Options is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("soak: %s is %v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
