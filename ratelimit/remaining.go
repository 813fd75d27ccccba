package ratelimit

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// Remaining tells how much of the limit is left, without counting anything. Allowed
// says whether a request of cost 1 would pass. Deny lists are not asked, nor what
// was refused before. Where Redis does not answer it is an error.
func (l *Limiter) Remaining(ctx context.Context, id string) (Decision, error) {
	d, err := l.remaining(ctx, id)
	return d, failed("remaining", err)
}

func (l *Limiter) remaining(ctx context.Context, id string) (Decision, error) {
	now, err := l.begin(ctx, id)
	if err != nil {
		return Decision{}, err
	}
	a := l.opts.Algorithm
	q := query{id: id, now: now, cost: 1}
	var r reply
	if l.opts.Local {
		r = l.local.peek(&q)
	} else if n, ok := l.countedHere(&q); ok {
		r = a.present(a.limit, cell{n: n}, 0, now)
	} else if r, err = l.read(ctx, &q); err != nil {
		return Decision{}, err
	}
	d := a.decision(r, q.cost, now)
	if l.opts.Algorithm.kind != gcra {
		d.Allowed = d.Remaining > 0
	}
	if d.Allowed {
		d.RetryAfter = 0
	}
	return d, nil
}

// countedHere is the count of a cached window, where this process knows it.
func (l *Limiter) countedHere(q *query) (int64, bool) {
	if l.cache == nil {
		return 0, false
	}
	return l.cache.counted(q)
}

// read gets what a decision depends on, in one round trip.
func (l *Limiter) read(ctx context.Context, q *query) (reply, error) {
	a := l.opts.Algorithm
	cmds := make([]conn.Command, 0, 3)
	key := l.names.current(q.id, q.now)
	if a.kind == tokenBucket {
		cmds = append(cmds, conn.Key("HMGET", key, "refilledAt", "tokens"))
	} else {
		cmds = append(cmds, conn.Key("GET", key))
	}
	if a.kind == slidingWindow {
		cmds = append(cmds, conn.Key("GET", l.names.window(q.id, a.bucket(q.now)-1)))
	}
	if l.opts.DynamicLimit {
		cmds = append(cmds, conn.Key("GET", l.names.dynamic))
	}
	results := l.c.Pipeline(l.bounded(ctx), cmds...)
	for _, r := range results {
		if r.Err != nil {
			return reply{}, r.Err
		}
	}
	limit := a.limit
	if l.opts.DynamicLimit {
		if n, ok := dynamicLimit(results[len(results)-1].Value); ok {
			limit = n
		}
	}
	var c cell
	var previous int64
	var err error
	switch a.kind {
	case tokenBucket:
		c, err = readBucket(results[0].Value)
	case slidingWindow:
		if previous, err = count(results[1].Value); err == nil {
			c.n, err = count(results[0].Value)
		}
	default:
		c.n, err = count(results[0].Value)
	}
	if err != nil {
		return reply{}, err
	}
	return a.present(limit, c, previous, q.now), nil
}

// readBucket reads the fields of a token bucket; a missing one is the zero cell.
func readBucket(v conn.Value) (cell, error) {
	if len(v.Elems) != 2 {
		return cell{}, errReply
	}
	if v.Elems[0].IsNil() || v.Elems[1].IsNil() {
		return cell{}, nil
	}
	at, err := whole(v.Elems[0])
	if err != nil {
		return cell{}, err
	}
	n, err := whole(v.Elems[1])
	return cell{n: n, at: at}, err
}
