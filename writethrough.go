package larder

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/internal/lease"
)

// WriteThrough changes the source by calling mutate, and then the cache. Before
// mutate is called, the key's value gives way to a barrier: until WriteThrough
// ends, readers load from the source, and nothing that was loaded before or
// meanwhile is stored. The value that mutate returns is stored only if nobody else
// wrote the key at the same time; otherwise the next Get loads. So the cache is
// right at whatever point the process dies: the barrier ends by itself after
// Options.Lease, and leaves no value.
//
// mutate runs on the caller's goroutine. Its context ends when the barrier cannot
// be kept up, and after Options.LoadTimeout. Where it goes on regardless, and
// commits after its process was given up, the old value may be there until its
// TTL. If mutate fails, its error is returned as it is: what it has written is not
// known, so the key is invalidated.
//
// Where Redis does not answer, mutate is called all the same, and
// ErrInvalidationPending returned after it. The barrier is lifted also if ctx has
// ended meanwhile, which takes up to Options.CacheTimeout.
func (c *Cache[K, V]) WriteThrough(ctx context.Context, key K, mutate func(context.Context) (V, error)) error {
	rk, err := c.redisKey(key)
	if err != nil {
		return c.failed("write through", "", err)
	}
	if err := c.begin(ctx); err != nil {
		return c.failed("write through", rk, err)
	}
	defer c.work.Done()
	t, err := c.ticket(key, rk)
	if err != nil {
		return c.failed("write through", rk, err)
	}
	c.stats.invalidations.Add(1)
	ctx, end := c.operate(ctx, verbWrite, 1)
	w := &write[K, V]{cache: c, t: t}
	defer func() { end(errors.Join(err, w.err)) }()
	defer w.end(ctx) // also where mutate panics, or ends the goroutine
	w.begin(ctx)
	err = errNoOutcome // unless mutate returns
	v, err := w.mutate(ctx, mutate)
	if err != nil {
		w.end(ctx)
		if w.err != nil {
			err = errors.Join(err, c.failed("write through", rk, w.err))
		}
		return err
	}
	w.value, w.brought = v, true
	w.end(ctx)
	return c.failed("write through", rk, w.err)
}

// write is one WriteThrough.
type write[K comparable, V any] struct {
	cache *Cache[K, V]
	t     *ticket[K]

	local   *writer // where there is no Redis
	barred  time.Time
	barrier bool          // stands, as far as we know
	left    time.Duration // of CacheTimeout, for the end

	value   V
	brought bool // mutate has returned value
	ended   bool
	err     error // what became of the invalidation
}

// begin puts up the barrier.
func (w *write[K, V]) begin(ctx context.Context) {
	c := w.cache
	c.forget(w.t.key)
	defer c.forget(w.t.key)
	if c.c == nil {
		w.local = c.writers.begin(w.t.key)
		w.t.begun = c.gens.Begin(w.t.rk, 0)
		_ = c.capture(ctx, w.t)
		return
	}
	ctx = c.brief.Context(ctx) // for both exchanges
	start := time.Now()
	defer func() { w.left = c.opts.CacheTimeout - time.Since(start) }()
	captured := c.capture(ctx, w.t)
	w.barred = time.Now()
	now, err := lease.Bar(ctx, c.c, w.t.rk, w.t.token, c.opts.Lease)
	announce(c.c, []string{w.t.rk})
	if err != nil {
		c.stats.l2Errors.Add(1)
		return
	}
	w.barrier, w.t.loadedAt = true, now
	w.t.begun = c.gens.Begin(w.t.rk, now)
	w.t.leased = captured && !w.t.barred() // what cannot be fenced by its tags is not stored
}

// mutate calls the function, and keeps the barrier up meanwhile. Its context ends
// before the barrier does.
func (w *write[K, V]) mutate(ctx context.Context, fn func(context.Context) (V, error)) (v V, err error) {
	c := w.cache
	var again func(context.Context) (bool, error)
	if w.barrier {
		again = func(ctx context.Context) (bool, error) {
			return lease.Rebar(ctx, c.c, w.t.rk, w.t.token, c.opts.Lease)
		}
	}
	err = c.behind(ctx, w.barred, again, func(ctx context.Context) error {
		v, err = fn(ctx)
		return err
	})
	return v, err
}

// end lifts the barrier and stores the value, or invalidates.
func (w *write[K, V]) end(ctx context.Context) {
	if w.ended {
		return
	}
	w.ended = true
	c, t := w.cache, w.t
	// The source is written, whoever still waits.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(w.left, 0))
	defer cancel()
	c.forget(t.key)
	got, ok := w.describe(ctx)
	if c.c == nil {
		w.endLocal(got, ok)
		return
	}
	defer c.forget(t.key)
	announce(c.c, []string{t.rk})
	defer announce(c.c, []string{t.rk})
	var v lease.Value
	if ok && t.leased {
		if raw, l, ok := c.encode(t, got, 0); ok {
			v = c.fillOf(t, raw, l)
		}
	}
	v.Key, v.Token = t.rk, t.token
	stored, err := lease.Lift(ctx, c.c, v)
	switch {
	case err != nil:
		c.stats.l2Errors.Add(1)
		c.pending.Add(c.nsKey, []string{t.rk}, nil)
		w.err = undelivered(err)
	case stored:
		c.stats.fills.Add(1)
	case v.Raw != nil:
		c.stats.fillsRefused.Add(1)
	}
}

// endLocal stores the value under the generations of before mutate.
func (w *write[K, V]) endLocal(got loaded[V], ok bool) {
	c, t := w.cache, w.t
	t.loadedAt = time.Now().UnixNano()
	var l life
	if ok {
		_, l, ok = c.encode(t, got, 0)
	}
	c.writers.end(t.key, w.local, func() {
		if ok {
			c.l1.Put(t.key, c.l1Entry(got.Value, false, l, t.namespace, t.tags))
		}
	})
	c.flights.detach(t.key)
}

// describe prepares the value that mutate has returned, if it can be stored.
func (w *write[K, V]) describe(ctx context.Context) (got loaded[V], ok bool) {
	if !w.brought {
		return got, false
	}
	c := w.cache
	got, err := c.describeWritten(w.t.key, w.value)
	if err != nil {
		c.opts.Logger.Warn("larder: a written value is not cached", "namespace", c.opts.Namespace, "error", err)
		return got, false
	}
	return got, c.captureLate(ctx, []*ticket[K]{w.t}, []loaded[V]{got})[0]
}
