package ratelimit

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// SetDynamicLimit replaces the limit of the algorithm, for all limiters and
// TypeScript services with the same prefix that use dynamic limits; 0 takes the
// replacement away. It has no expiry. A lowered limit bites on tokens that are in a
// bucket with the next refill; identifiers that other processes have refused already
// are refused there for up to Options.BlockFor. For GCRA it is the number of
// requests in each period; the burst stays.
func (l *Limiter) SetDynamicLimit(ctx context.Context, limit int64) error {
	return failed("set dynamic limit", l.setDynamicLimit(ctx, limit))
}

func (l *Limiter) setDynamicLimit(ctx context.Context, limit int64) error {
	switch {
	case l.closed.Load():
		return ErrClosed
	case !l.opts.DynamicLimit:
		return optionError("DynamicLimit", false, "true to set one")
	case limit < 0 || limit > MaxLimit:
		return badInput(ErrCost, "the limit is %d; allowed: 1 to 1e12, or 0 for none", limit)
	}
	if !l.opts.Local {
		cmd := conn.Key("SET", l.names.dynamic, number(limit))
		if limit == 0 {
			cmd = conn.Key("DEL", l.names.dynamic)
		}
		if _, err := l.c.Do(l.bounded(ctx), cmd); err != nil {
			return err
		}
	}
	if limit == 0 {
		limit = -1
	}
	l.dynamic.Store(limit)
	if l.blocked != nil {
		l.blocked.clear()
	}
	return nil
}

// DynamicLimit returns the limit that replaces the algorithm's, 0 if there is none.
func (l *Limiter) DynamicLimit(ctx context.Context) (int64, error) {
	n, err := l.dynamicLimit(ctx)
	return n, failed("dynamic limit", err)
}

func (l *Limiter) dynamicLimit(ctx context.Context) (int64, error) {
	switch {
	case l.closed.Load():
		return 0, ErrClosed
	case !l.opts.DynamicLimit:
		return 0, optionError("DynamicLimit", false, "true to have one")
	case l.opts.Local:
		return max(l.dynamic.Load(), 0), nil
	}
	v, err := l.c.Do(l.bounded(ctx), conn.Key("GET", l.names.dynamic))
	if err != nil {
		return 0, err
	}
	n, _ := dynamicLimit(v)
	return n, nil
}

// noteDynamic remembers the limit in force for AwayLocal.
func (l *Limiter) noteDynamic(limit int64) {
	if limit == l.opts.Algorithm.limit {
		limit = -1
	}
	if l.dynamic.Load() != limit {
		l.dynamic.Store(limit)
	}
}
