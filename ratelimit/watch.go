package ratelimit

import (
	"errors"
	"sync/atomic"

	"github.com/larder-go/larder/observe"
)

// What a Limiter counts, for its Observer.
var (
	metricAllowed = &observe.Metric{
		Name: "larder.ratelimit.allowed", Unit: "{request}", Instrument: observe.Counter,
		Help: "requests that may pass, refunds and questions included",
	}
	metricRefused = &observe.Metric{
		Name: "larder.ratelimit.refused", Unit: "{request}", Instrument: observe.Counter, Label: "larder.reason",
		Help: "requests refused: by the limit, by memory of a refusal, by a deny list, or because Redis was away",
	}
	metricAway = &observe.Metric{
		Name: "larder.ratelimit.away", Unit: "{request}", Instrument: observe.Counter, Label: "larder.reason",
		Help: "requests that Options.Away decided, since Redis was not there (unavailable) or too slow (timeout)",
	}
	metricErrors = &observe.Metric{
		Name: "larder.ratelimit.errors", Unit: "{request}", Instrument: observe.Counter,
		Help: "requests that could not be decided",
	}
)

// Metrics are those that every Limiter has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{metricAllowed, metricRefused, metricAway, metricErrors}
}

// verbDecide is the operation in which Redis decides.
const verbDecide = "decide"

// why is who refused a request. The zero value is the limit.
type why uint8

const (
	byLimit why = iota
	byMemory
	byDenyList
	byAway
	whys
)

var whyNames = [whys]string{byLimit: "limit", byMemory: "memory", byDenyList: "deny_list", byAway: "away"}

// counters are read by an Observer; nobody counts where there is none.
type counters struct {
	allowed, unavailable, timedOut, errors atomic.Uint64
	refused                                [whys]atomic.Uint64
}

// count notes what became of one call of Limit.
func (c *counters) count(d Decision, err error) {
	switch {
	case errors.Is(err, errCostTooHigh): // the counter was asked, and refuses for ever
		c.refused[byLimit].Add(1)
		return
	case err != nil:
		c.errors.Add(1)
		return
	}
	w := byLimit
	switch d.Reason {
	case ReasonTimeout:
		c.timedOut.Add(1)
		w = byAway
	case ReasonUnavailable:
		c.unavailable.Add(1)
		w = byAway
	case ReasonBlocked:
		w = byMemory
	case ReasonDenied:
		w = byDenyList
	}
	if d.Allowed {
		c.allowed.Add(1)
	} else {
		c.refused[w].Add(1)
	}
}

func (c *counters) yield(yield observe.Yield) {
	yield(metricAllowed, "", float64(c.allowed.Load()))
	for w, name := range whyNames {
		yield(metricRefused, name, float64(c.refused[w].Load()))
	}
	yield(metricAway, "unavailable", float64(c.unavailable.Load()))
	yield(metricAway, "timeout", float64(c.timedOut.Load()))
	yield(metricErrors, "", float64(c.errors.Load()))
}
