package ratelimit

import (
	"fmt"
	"time"
)

// MaxLimit is the largest limit, burst, refill rate and cost.
const MaxLimit = 1_000_000_000_000

// maxWindow keeps expiries inside what Redis accepts.
const maxWindow = 10 * 365 * 24 * time.Hour

type kind uint8

const (
	noAlgorithm kind = iota
	fixedWindow
	slidingWindow
	tokenBucket
	gcra
	cachedWindow
)

// Algorithm says what a Limiter allows. Make one with [FixedWindow],
// [SlidingWindow], [TokenBucket], [CachedFixedWindow] or [GCRA]; [New] checks it.
type Algorithm struct {
	kind   kind
	limit  int64
	window time.Duration // window, interval of refills, period
	extra  int64         // tokens for each refill; burst
}

// FixedWindow allows limit requests in each window. Windows begin at multiples of
// their length since 1970, so up to twice the limit passes in a short time around
// their edge. The window is 1 ms to ten years in whole milliseconds.
func FixedWindow(limit int64, window time.Duration) Algorithm {
	return Algorithm{kind: fixedWindow, limit: limit, window: window}
}

// SlidingWindow is FixedWindow with the previous window counted in by the share
// that it still has in the last window of time, as if its requests had been spread
// evenly.
func SlidingWindow(limit int64, window time.Duration) Algorithm {
	return Algorithm{kind: slidingWindow, limit: limit, window: window}
}

// TokenBucket holds up to maxTokens, at first all of them; each request takes
// one, and each interval brings refillRate back. The interval is 1 ms to ten years
// in whole milliseconds.
func TokenBucket(refillRate int64, interval time.Duration, maxTokens int64) Algorithm {
	return Algorithm{kind: tokenBucket, limit: maxTokens, window: interval, extra: refillRate}
}

// CachedFixedWindow is FixedWindow decided in the process: only the first request
// of an identifier in each window waits for Redis. What other processes allow is
// learnt a round trip after each request allowed here, so together they may exceed
// the limit by what they have not told each other yet.
func CachedFixedWindow(limit int64, window time.Duration) Algorithm {
	return Algorithm{kind: cachedWindow, limit: limit, window: window}
}

// GCRA spaces requests evenly: limit of them in each period, and up to burst at
// once after a pause. In any time t at most burst + t·limit/period pass. It is
// Larder's own: @upstash/ratelimit has no such algorithm. The period is 1 ms to a
// year, limit at most one for each microsecond of it.
func GCRA(limit int64, period time.Duration, burst int64) Algorithm {
	return Algorithm{kind: gcra, limit: limit, window: period, extra: burst}
}

// windowMillis is the window, interval or period in ms.
func (a Algorithm) windowMillis() int64 { return a.window.Milliseconds() }

// bucket is the number of the window that now lies in.
func (a Algorithm) bucket(now int64) int64 { return now / a.windowMillis() }

// step is the time of one request under gcra, in microseconds.
func (a Algorithm) step(limit int64) int64 {
	return min(ceilDiv(a.window.Microseconds(), limit), a.maxStep())
}

// maxStep keeps the time of a burst exact in the arithmetic of scripts, however far
// a dynamic limit is lowered.
func (a Algorithm) maxStep() int64 { return maxWindow.Microseconds() / a.extra }

// windowed tells whether requests are counted in windows.
func (a Algorithm) windowed() bool { return a.kind != tokenBucket && a.kind != gcra }

func (a Algorithm) validate() error {
	var name, window, extra string
	longest := maxWindow
	switch a.kind {
	case fixedWindow:
		name, window = "FixedWindow", "window"
	case slidingWindow:
		name, window = "SlidingWindow", "window"
	case cachedWindow:
		name, window = "CachedFixedWindow", "window"
	case tokenBucket:
		name, window, extra = "TokenBucket", "interval", "refillRate"
	case gcra:
		name, window, extra = "GCRA", "period", "burst"
		longest = 366 * 24 * time.Hour
	default:
		return optionError("Algorithm", "the zero value", "FixedWindow, SlidingWindow, TokenBucket, CachedFixedWindow or GCRA")
	}
	field := func(s string) string { return "Algorithm: " + name + ": " + s }
	limit := "limit"
	if a.kind == tokenBucket {
		limit = "maxTokens"
	}
	switch {
	case a.limit < 1 || a.limit > MaxLimit:
		return optionError(field(limit), a.limit, "1 to 1e12")
	case a.window < time.Millisecond || a.window > longest:
		return optionError(field(window), a.window, fmt.Sprintf("1ms to %v", longest))
	case a.window%time.Millisecond != 0:
		return optionError(field(window), a.window, "whole milliseconds")
	case extra != "" && (a.extra < 1 || a.extra > MaxLimit):
		return optionError(field(extra), a.extra, "1 to 1e12")
	case a.kind == gcra && a.limit > a.window.Microseconds():
		return optionError(field(limit), a.limit, "at most one for each microsecond of the period")
	case a.kind == gcra && ceilDiv(a.window.Microseconds(), a.limit) > a.maxStep():
		return optionError(field(extra), a.extra, "a burst that fills again within ten years")
	}
	return nil
}

// share is the algorithm of a process that may use only a part of the limit, from
// above 0 to 1. Nothing is scaled to less than one request.
func (a Algorithm) share(part float64) Algorithm {
	scaled := func(n int64) int64 { return max(1, int64(float64(n)*part)) }
	longer := func(d time.Duration) time.Duration {
		ms := min(float64(d.Milliseconds())/part, float64(maxWindow.Milliseconds()))
		return time.Duration(ms) * time.Millisecond
	}
	switch a.kind {
	case tokenBucket:
		// Fewer tokens in each refill would end at one; refills further apart do not.
		a.limit, a.window = scaled(a.limit), longer(a.window)
	case gcra:
		a.extra, a.window = scaled(a.extra), longer(a.window)
	default:
		a.limit = scaled(a.limit)
	}
	return a
}

// Policy is what a limiter promises, in the terms of the RateLimit-Policy header.
type Policy struct {
	// Quota is the limit, the bucket's size, or the burst.
	Quota int64
	// Window is the time in which all of the quota comes back.
	Window time.Duration
}

func (a Algorithm) policy() Policy {
	switch a.kind {
	case tokenBucket:
		steps := ceilDiv(a.limit, a.extra)
		if steps > int64(maxWindow/a.window) {
			return Policy{a.limit, maxWindow}
		}
		return Policy{a.limit, a.window * time.Duration(steps)}
	case gcra:
		return Policy{a.extra, time.Duration(a.step(a.limit)*a.extra) * time.Microsecond}
	}
	return Policy{a.limit, a.window}
}

// ceilDiv divides and rounds up; b is positive.
func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}
