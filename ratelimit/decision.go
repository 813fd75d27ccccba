package ratelimit

import "time"

// Reason says who made a decision where it was not Redis' count. The texts are
// those of @upstash/ratelimit where it has one.
type Reason string

// The values of Decision.Reason; it is empty where Redis, or the local counter,
// has counted.
const (
	// ReasonBlocked: refused from memory, since it was refused a moment ago.
	ReasonBlocked Reason = "cacheBlock"
	// ReasonDenied: a deny list names the identifier or the client.
	ReasonDenied Reason = "denyList"
	// ReasonTimeout: Redis did not answer in time; Options.Away has decided.
	ReasonTimeout Reason = "timeout"
	// ReasonUnavailable: Redis is not there; Options.Away has decided.
	ReasonUnavailable Reason = "unavailable"
)

// Decision is the answer to one request.
type Decision struct {
	// Allowed tells whether the request may pass.
	Allowed bool
	// Limit is how many requests may pass: in the window, in a full bucket, or at
	// once. 0 where nobody knows (AwayAllow, AwayDeny).
	Limit int64
	// Remaining is how many of them are left, never negative. It may exceed Limit
	// after refunds.
	Remaining int64
	// Reset is when the window ends, the next refill comes (TokenBucket), or all of
	// the burst is there again (GCRA); zero where nobody knows.
	Reset time.Time
	// RetryAfter is how long to wait before the same request can be allowed, if
	// nobody else asks meanwhile. 0 where it was allowed, and where a deny list
	// refused it.
	RetryAfter time.Duration
	// Reason says who decided, if not the count.
	Reason Reason
	// Denied is the value that a deny list names, with ReasonDenied.
	Denied string
}

// The verdicts of a reply.
const (
	refused = iota
	granted
	denied
)

// reply is what a script answers, or its twin in the process: a verdict, the limit
// in force, and two numbers whose meaning depends on the algorithm:
//
//	fixed, cached   count
//	sliding         count, previous count; where granted, what counts of both, 0
//	token bucket    tokens, time of the last refill in ms
//	gcra            theoretical arrival time in us
//
// A denied reply has the index of the value instead.
type reply struct {
	verdict int
	limit   int64
	x, y    int64
}

// decision turns a reply to a request at now (Unix ms) into what users see.
func (a Algorithm) decision(r reply, cost, now int64) Decision {
	d := Decision{Allowed: r.verdict == granted, Limit: r.limit}
	window := a.windowMillis()
	var left, reset, retry int64
	switch a.kind {
	case fixedWindow, cachedWindow:
		left = r.limit - r.x
		reset = (now/window + 1) * window
		retry = reset
	case slidingWindow:
		left = r.limit - r.x - weighted(r.y, now, window)
		reset = (now/window + 1) * window
		if !d.Allowed {
			retry = slidingRetry(r, cost, now, window)
		}
	case tokenBucket:
		left = r.x
		reset = r.y + window
		retry = r.y + window*min(max(1, ceilDiv(cost-r.x, a.extra)), maxWindow.Milliseconds()/window)
	case gcra:
		d.Limit = a.extra
		if r.limit < 1 {
			reset, retry = now+window, now+window
			break
		}
		step := a.step(r.limit)
		left = (now*1000 + a.extra*step - r.x) / step
		reset = ceilDiv(r.x, 1000)
		retry = ceilDiv(r.x+(cost-a.extra)*step, 1000)
	}
	d.Remaining = max(0, left)
	d.Reset = time.UnixMilli(reset)
	if !d.Allowed {
		d.RetryAfter = time.Duration(min(max(retry-now, 1), maxWindow.Milliseconds())) * time.Millisecond
	}
	return d
}

// weighted is what counts of the previous window at now, in the arithmetic of the
// scripts.
func weighted(previous, now, window int64) int64 {
	share := 1 - float64(now%window)/float64(window)
	w := share * float64(previous)
	n := int64(w)
	if float64(n) > w { // rounds towards minus infinity, as Lua's math.floor
		n--
	}
	return n
}

// slidingRetry is the first moment at which a refused request fits, if nobody else
// asks: later in this window, while the previous one fades, or in the next.
func slidingRetry(r reply, cost, now, window int64) int64 {
	start := now - now%window
	if at, ok := fades(r.y, r.limit-r.x-cost, now%window, window); ok {
		return start + at
	}
	if at, ok := fades(r.x, r.limit-cost, 0, window); ok {
		return start + window + at
	}
	return start + 2*window
}

// fades finds the first ms of a window, not before from, at which no more than room
// of the previous one counts.
func fades(previous, room, from, window int64) (int64, bool) {
	if room < 0 || weighted(previous, window-1, window) > room {
		return 0, false
	}
	lo, hi := from, window-1 // hi fits
	for lo < hi {
		mid := lo + (hi-lo)/2
		if weighted(previous, mid, window) <= room {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo, true
}
