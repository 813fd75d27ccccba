package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/deadline"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/ratelimit/analytics"
)

// Limiter decides requests. Make one with New.
type Limiter struct {
	opts     Options
	names    names
	c        conn.Conn // nil in local mode
	redis    *redis    // nil in local mode
	local    *memory   // decides in local mode, else stands in for Redis
	cache    *cached   // of CachedFixedWindow, in front of redis; else nil
	timeout  *deadline.Source
	recorder *analytics.Recorder

	blocked *blocks // by identifier; nil where switched off
	denied  *blocks // by value

	dynamic atomic.Int64 // the dynamic limit as last seen; negative: none
	away    atomic.Bool  // Redis did not answer the last time
	closed  atomic.Bool

	counters   counters
	unregister func() // from the Observer
}

// New returns a limiter whose counters are on c, which it does not close; where
// Options.Local is set, c is nil. It does not wait for Redis.
func New(c conn.Conn, o Options) (*Limiter, error) {
	if c == nil && !o.Local {
		return nil, errors.New("ratelimit: the Conn is nil; open one, or set Options.Local to count in this process alone")
	}
	if c != nil && o.Local {
		return nil, errors.New("ratelimit: Options.Local is set and there is a Conn; use one of them")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	l := &Limiter{
		opts: o, names: newNames(o.Prefix, o.Algorithm), c: c,
		timeout: deadline.New(o.Timeout),
		denied:  newBlocks(o.MaxBlocked), unregister: func() {},
	}
	l.dynamic.Store(-1)
	if o.BlockFor > 0 {
		l.blocked = newBlocks(o.MaxBlocked)
	}
	if o.Local {
		l.local = newMemory(o.Prefix, o.Algorithm, o.MaxLocal, l.limitInForce)
		l.register()
		return l, nil
	}
	scaled := o.Algorithm.share(o.Share)
	l.local = newMemory(o.Prefix, scaled, o.MaxLocal, func() int64 { return l.shareInForce(scaled) })
	l.redis = newRedis(c, o)
	if o.Analytics {
		rec, err := analytics.NewRecorder(c, analytics.Options{
			Prefix: o.Prefix, Retention: o.Retention, Clock: o.Clock, Logger: o.Logger,
		})
		if err != nil {
			return nil, fmt.Errorf("ratelimit: Options.Analytics: %w", err)
		}
		l.recorder = rec
	}
	if o.Algorithm.kind == cachedWindow {
		l.cache = newCached(l.redis, o)
	}
	l.register()
	return l, nil
}

func (l *Limiter) register() {
	if o := l.opts.Observer; o != nil {
		l.unregister = o.Register(observe.Source{Subject: l.Describe(), Metrics: Metrics(), Read: l.counters.yield})
	}
}

// Policy returns what the limiter is configured to allow.
func (l *Limiter) Policy() Policy { return l.opts.Algorithm.policy() }

// Close writes what is left of analytics and of cached windows, within
// Options.Timeout for each, and ends the goroutines of the limiter. The Conn stays
// open. A second Close does nothing.
func (l *Limiter) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.unregister()
	ctx, cancel := context.WithTimeout(context.Background(), l.opts.Timeout)
	defer cancel()
	var errs []error
	if l.cache != nil {
		errs = append(errs, l.cache.close(ctx))
	}
	if l.recorder != nil {
		errs = append(errs, l.recorder.Close(ctx))
	}
	return failed("close", errors.Join(errs...))
}

// limitInForce is the dynamic limit, as last seen, or the configured one.
func (l *Limiter) limitInForce() int64 {
	if n := l.dynamic.Load(); n >= 0 {
		return n
	}
	return l.opts.Algorithm.limit
}

// shareInForce is what AwayLocal grants of it: scaled is the algorithm scaled to
// Options.Share.
func (l *Limiter) shareInForce(scaled Algorithm) int64 {
	n := l.dynamic.Load()
	switch {
	case n < 0:
		return scaled.limit
	case n == 0 || scaled.kind == gcra: // its period is scaled already
		return n
	}
	return max(1, int64(float64(n)*l.opts.Share))
}

// bounded is ctx with the end that Options.Timeout sets.
func (l *Limiter) bounded(ctx context.Context) context.Context {
	if l.opts.Local {
		return ctx
	}
	return l.timeout.Context(ctx)
}

// maxNow is the latest time that the clock may show, the end of the year 2199: in us it
// is exact in the arithmetic of scripts.
const maxNow = 7258118399999

// now reads the clock, in Unix ms.
func (l *Limiter) now() (int64, error) {
	t := l.opts.Clock()
	ms := t.UnixMilli()
	if ms <= 0 || ms > maxNow {
		return 0, fmt.Errorf("the clock shows the year %d; it must be between 1970 and 2199", t.Year())
	}
	return ms, nil
}

// begin checks what every method checks.
func (l *Limiter) begin(ctx context.Context, id string) (now int64, err error) {
	if l.closed.Load() {
		return 0, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if now, err = l.now(); err != nil {
		return 0, err
	}
	return now, l.names.check(id, now)
}

// until is a moment of the Unix clock as a distance from now.
func until(at, now int64) time.Duration { return time.Duration(max(at-now, 1)) * time.Millisecond }
