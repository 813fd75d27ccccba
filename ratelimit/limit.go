package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/ratelimit/analytics"
)

// deniedFor is how long a value that Redis' deny list names is refused from memory.
const deniedFor = time.Minute

var errCostTooHigh = badInput(ErrCost, "it is more than the limit, so the request can never be allowed")

// Limit counts a request of an identifier and tells whether it may pass. It is one
// round trip to Redis (two in a cluster, where the algorithm is SlidingWindow, or a
// deny list or dynamic limit is on), or none where the identifier was refused before.
//
// A refusal is not an error. Errors are ErrIdentifier, ErrCost, ErrClosed, the error
// of an ended ctx, and an error reply of Redis; the Decision then does not allow.
func (l *Limiter) Limit(ctx context.Context, id string, opts ...CallOption) (Decision, error) {
	q, geo := newQuery(id, opts)
	d, decided, err := l.known(ctx, &q)
	if !decided {
		d, err = l.ask(ctx, &q)
	}
	if l.recorder != nil && (err == nil || errors.Is(err, errCostTooHigh)) {
		l.record(q.id, d, geo)
	}
	if l.opts.Observer != nil {
		l.counters.count(d, err)
	}
	return d, failed("limit", err)
}

// known decides what needs no counting: bad input, and what was refused before.
func (l *Limiter) known(ctx context.Context, q *query) (d Decision, decided bool, err error) {
	if q.now, err = l.begin(ctx, q.id); err != nil {
		return Decision{}, true, err
	}
	if q.cost > MaxLimit || q.cost < -MaxLimit {
		return Decision{}, true, badInput(ErrCost, "it is %d; allowed: -1e12 to 1e12", q.cost)
	}
	if value, ok := l.deniedHere(q); ok {
		return Decision{Reason: ReasonDenied, Denied: value}, true, nil
	}
	if q.cost > 0 && l.blocked != nil {
		if b, ok := l.blocked.get(q.id, q.cost, q.now); ok {
			return Decision{
				Limit: b.limit, Reset: time.UnixMilli(b.reset),
				RetryAfter: until(b.retry, q.now), Reason: ReasonBlocked,
			}, true, nil
		}
	}
	if a := l.opts.Algorithm; a.kind == gcra {
		if q.cost > a.extra {
			return Decision{Limit: a.extra}, true, errCostTooHigh
		}
		q.cost = max(q.cost, -a.extra)
	}
	return Decision{}, false, nil
}

// ask lets a store count.
func (l *Limiter) ask(ctx context.Context, q *query) (Decision, error) {
	r, err := l.decide(l.bounded(ctx), q)
	if err != nil {
		return l.withoutRedis(ctx, q, err)
	}
	l.redisAnswers()
	return l.settle(r, q)
}

// decide chooses the store. Not by an interface, which would put every query on the
// heap.
func (l *Limiter) decide(ctx context.Context, q *query) (reply, error) {
	switch {
	case l.cache != nil:
		return l.cache.decide(ctx, q)
	case l.redis != nil:
		return l.redis.decide(ctx, q)
	}
	return l.local.decide(ctx, q)
}

// settle makes a decision of the reply and remembers it.
func (l *Limiter) settle(r reply, q *query) (Decision, error) {
	if l.opts.DynamicLimit && !l.opts.Local {
		l.noteDynamic(r.limit)
	}
	if r.verdict == denied {
		value := q.deniedValue(int(r.x))
		l.denied.set(value, block{until: q.now + deniedFor.Milliseconds()}, q.now)
		return Decision{Limit: r.limit, Reason: ReasonDenied, Denied: value}, nil
	}
	d := l.opts.Algorithm.decision(r, q.cost, q.now)
	switch {
	case q.cost < 0:
		l.unblock(q.id)
	case d.Allowed || q.cost == 0:
	case q.cost > max(d.Limit, 1):
		d.RetryAfter = 0
		return d, errCostTooHigh
	case l.blocked != nil:
		l.blocked.set(q.id, block{
			until: q.now + min(d.RetryAfter, l.opts.BlockFor).Milliseconds(),
			cost:  q.cost, limit: d.Limit, retry: q.now + d.RetryAfter.Milliseconds(), reset: d.Reset.UnixMilli(),
		}, q.now)
	}
	return d, nil
}

func (l *Limiter) unblock(id string) {
	if l.blocked != nil {
		l.blocked.remove(id)
	}
}

func (l *Limiter) record(id string, d Decision, g Geo) {
	e := analytics.Event{
		Identifier: id, Outcome: analytics.Limited,
		Country: g.Country, City: g.City, Region: g.Region, IP: g.IP,
	}
	switch {
	case d.Reason == ReasonDenied:
		e.Identifier, e.Outcome = d.Denied, analytics.Denied
	case d.Allowed:
		e.Outcome = analytics.Allowed
	}
	l.recorder.Record(e)
}
