package ratelimit

import (
	"cmp"
	"fmt"
	"time"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/ratelimit/analytics"
)

// Describe tells what the options say of the limiter: for a declared strategy, and for
// whoever watches. It does not touch Redis.
func (l *Limiter) Describe() observe.Subject {
	o := l.opts
	s := observe.Subject{
		Kind:   observe.Limiter,
		Name:   o.Prefix,
		TTL:    o.Algorithm.longest(),
		Bound:  max(o.BlockFor, 0),
		Policy: o.policy(),
	}
	s.Pattern, s.Type = o.Prefix+":<identifier>:<window>", "string"
	switch o.Algorithm.kind {
	case tokenBucket:
		s.Pattern, s.Type = o.Prefix+":<identifier>", "hash"
	case gcra:
		s.Pattern = o.Prefix + ":<identifier>:gcra"
	}
	if o.Local {
		s.Type, s.Bound = "", 0
	} else {
		s.Prefixes = []string{l.names.base}
	}
	return s
}

// longest is the longest life of a counter.
func (a Algorithm) longest() time.Duration {
	if a.kind == slidingWindow {
		return 2*a.window + time.Second // it counts in the next window too
	}
	return a.policy().Window
}

// String is the algorithm in a few words.
func (a Algorithm) String() string {
	window := describe.Duration(a.window)
	switch a.kind {
	case fixedWindow:
		return fmt.Sprintf("fixed window, %d in %s", a.limit, window)
	case slidingWindow:
		return fmt.Sprintf("sliding window, %d in %s", a.limit, window)
	case cachedWindow:
		return fmt.Sprintf("cached fixed window, %d in %s", a.limit, window)
	case tokenBucket:
		return fmt.Sprintf("token bucket, %d back each %s, up to %d", a.extra, window, a.limit)
	case gcra:
		return fmt.Sprintf("GCRA, %d in %s, bursts of %d", a.limit, window, a.extra)
	}
	return "none"
}

func (o Options) policy() string {
	away := map[Away]string{AwayLocal: "decided in the process", AwayAllow: "all pass", AwayDeny: "all are refused"}[o.Away]
	retention := describe.Duration(cmp.Or(o.Retention, analytics.DefaultRetention))
	return describe.Join(
		o.Algorithm.String(),
		describe.If(o.DynamicLimit, "a dynamic limit replaces it"),
		describe.If(o.DenyList || o.Denied != nil, "deny list"),
		describe.If(o.Analytics, "analytics for "+retention),
		describe.If(o.Local, "in the process alone"),
		describe.If(!o.Local, "while Redis is away: "+away),
	)
}
