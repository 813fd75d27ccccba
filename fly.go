package larder

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
)

// How long a flight that waits for another process' load sleeps between two
// looks, where no push wakes it.
const (
	firstPoll = 10 * time.Millisecond
	lastPoll  = 200 * time.Millisecond
)

var errNoOutcome = errors.New("larder: a function of Options ended its goroutine")

// launch starts the flight that the caller has made, on a goroutine that
// outlives the caller. It returns false if the cache is closed.
func (c *Cache[K, V]) launch(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) bool {
	return c.spawn(ctx, []*flight[K, V]{f}, func(ctx context.Context) {
		c.fly(ctx, f, rk, found, load)
	})
}

// spawn runs fn for the flights fs with a context that has the values of ctx but
// ends with the cache, or when even the slowest load must be over. A flight that
// fn leaves without an outcome ends with an error.
func (c *Cache[K, V]) spawn(ctx context.Context, fs []*flight[K, V], fn func(context.Context)) bool {
	c.mu.RLock()
	closed := c.closed
	if !closed {
		c.work.Add(1)
	}
	c.mu.RUnlock()
	if closed {
		for _, f := range fs {
			c.flights.end(f, outcome[V]{err: ErrClosed}, 0)
		}
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.budget(len(fs)))
	go func() {
		defer c.work.Done()
		defer cancel()
		defer context.AfterFunc(c.life, cancel)()
		defer func() { // Goexit in a user's function
			for _, f := range fs {
				select {
				case <-f.done:
				default:
					c.flights.end(f, outcome[V]{err: errNoOutcome}, 0)
				}
			}
		}()
		fn(ctx)
	}()
	return true
}

// budget is the longest that n flights may take, 16 at a time.
func (c *Cache[K, V]) budget(n int) time.Duration {
	one := 2 * (c.opts.LoadTimeout + c.opts.Lease)
	return one * time.Duration(min(1+n/maxBatchLoads, int(8*maxTTL/one)))
}

// fly brings one flight to its end.
func (c *Cache[K, V]) fly(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) {
	var out outcome[V]
	if f.after == nil || f.after.wait(ctx) == nil {
		f.after = nil
		out = c.attempt(ctx, f, rk, found, load)
	} else {
		out.err = c.failed("get", rk, ctx.Err())
	}
	c.finish(ctx, f, out, found)
}

// finish ends a flight, and gives back a lease that it may hold unknowingly.
func (c *Cache[K, V]) finish(ctx context.Context, f *flight[K, V], out outcome[V], found found[V]) {
	out.err = c.orClosed(out.err)
	c.flights.end(f, out, c.cool(out.err, found))
	if f.orphan != nil { // what Redis did not answer it may have executed
		c.release(ctx, f.orphan, 0)
	}
}

// orClosed is ErrClosed where Close has cut a flight short.
func (c *Cache[K, V]) orClosed(err error) error {
	if err != nil && !errors.Is(err, ErrNotFound) && c.life.Err() != nil {
		return ErrClosed
	}
	return err
}

// cool is how long a flight that ended with err holds further refreshes off.
func (c *Cache[K, V]) cool(err error, found found[V]) time.Duration {
	if err == nil || !found.stale || errors.Is(err, ErrNotFound) {
		return 0
	}
	return c.opts.RetryAfter
}

// attempt gets the value of a flight's key: by a lease and a load, or from
// another process that holds the lease, or, where Redis is down, by a load alone.
func (c *Cache[K, V]) attempt(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) outcome[V] {
	t, err := c.ticket(f.key, rk)
	if err != nil {
		return outcome[V]{err: c.failed("get", rk, err)}
	}
	// The way to the first answer is part of the call's CacheTimeout.
	first := ctx
	if !found.until.IsZero() {
		var cancel context.CancelFunc
		first, cancel = context.WithDeadline(ctx, found.until)
		defer cancel()
	}
	t.leased = c.c != nil && !found.down && c.capture(first, t)
	for poll := firstPoll; t.leased; poll = min(2*poll, lastPoll) {
		stage := c.flights.advance(f)
		a, err := c.acquire(first, t, found.rejected)
		first = ctx
		if err != nil {
			orphan := *t
			f.orphan, t.leased = &orphan, false
			break
		}
		switch a.State {
		case lease.Granted:
			t.loadedAt = a.Now
			return c.load(ctx, f, t, found.stale, load)
		case lease.Fresh:
			// Redis executed this without tracking the key: not for L1.
			hit := c.open(ctx, f.key, rk, a.Raw, l1.Mark{Void: true})
			if hit.ok {
				return outcome[V]{value: hit.value, err: c.notFoundIf(hit.negative), stage: stage}
			}
			if found.rejected = hit.rejected; found.rejected == "" {
				found.rejected = entry.RawID(a.Raw)
			}
		case lease.Held:
			if err := c.await(ctx, f, rk, min(a.Left, poll)); err != nil {
				return outcome[V]{err: c.failed("get", rk, err)}
			}
		}
	}
	if c.c == nil {
		_ = c.capture(ctx, t)
		t.loadedAt = time.Now().UnixNano()
	}
	return c.load(ctx, f, t, found.stale, load)
}

// await sleeps until the key changes in Redis, or for at most d.
func (c *Cache[K, V]) await(ctx context.Context, f *flight[K, V], rk string, d time.Duration) error {
	if c.tr != nil {
		// The read makes sure that the next change of the key is pushed.
		raw, down := c.read(ctx, rk)
		if e, err := entry.Parse(raw); !down && (raw == "" || err == nil && e.Token == 0) {
			return nil
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.wake:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// ticket is what one load needs to land.
type ticket[K comparable] struct {
	key       K
	rk        string
	token     uint64
	leased    bool  // Redis granted, or will grant, the right to fill
	loadedAt  int64 // by the server's clock
	namespace l1.Stamp
	tags      []l1.Stamp
	tagNames  []string
}

// acquire asks for the lease of a ticket.
func (c *Cache[K, V]) acquire(ctx context.Context, t *ticket[K], rejected string) (lease.Acquired, error) {
	ctx = c.brief.Context(ctx)
	a, err := lease.Acquire(ctx, c.c, c.request(t, rejected, lease.Load))
	if err != nil {
		c.stats.l2Errors.Add(1)
		return a, err
	}
	c.server.observe(a.Now, time.Now())
	return a, nil
}

func (c *Cache[K, V]) request(t *ticket[K], rejected string, mode lease.Mode) lease.Request {
	return lease.Request{Key: t.rk, Token: t.token, Lease: c.opts.Lease, Rejected: rejected, Mode: mode}
}

// load calls the loader under a ticket and stores what it brings.
func (c *Cache[K, V]) load(ctx context.Context, f *flight[K, V], t *ticket[K], refresh bool, load loader[K, V]) outcome[V] {
	stage := c.flights.advance(f)
	start := time.Now()
	v, err := c.call(ctx, t, load)
	cost := time.Since(start)
	out := outcome[V]{value: v, err: err, stage: stage, namespace: t.namespace, tags: t.tags}
	switch {
	case err == nil:
		out.accepted = c.store(ctx, f, t, found[V]{value: v}, cost)
	case errors.Is(err, ErrNotFound):
		var none V
		out.value = none
		out.accepted = c.store(ctx, f, t, found[V]{negative: true}, cost)
	default:
		var none V
		out.value = none
		c.stats.loadErrors.Add(1)
		hold := time.Duration(0)
		if refresh {
			hold = c.opts.RetryAfter
			c.opts.Logger.Warn("larder: background load failed", "namespace", c.opts.Namespace, "error", err)
		}
		c.release(ctx, t, hold)
	}
	return out
}

// store fills L2 and L1 with the outcome of a load, and tells whether the
// ticket still stood.
func (c *Cache[K, V]) store(ctx context.Context, f *flight[K, V], t *ticket[K], got found[V], cost time.Duration) bool {
	ttl, stale := c.lifetimes(got.negative)
	raw, size, ok := c.encode(t, got, cost)
	ok = ok && ttl > 0
	l := life{loadedAt: t.loadedAt, fresh: ttl, stale: ttl + stale, size: size + len(t.rk)}
	switch {
	case c.c == nil:
		return c.flights.ifAttached(f, func() {
			if ok {
				c.l1.Put(t.key, c.l1Entry(got, l, t.namespace, t.tags))
			} else {
				c.l1.Drop(t.key) // a stale value that the source no longer stands for
			}
		})
	case !t.leased:
		return false
	}
	c.flights.seal(f)
	if !ok {
		c.l1.Drop(t.key)
		return c.release(ctx, t, dropValue)
	}
	mark := c.mark(t.key, t.rk)
	bctx := c.brief.Context(ctx)
	stored, err := lease.Fill(bctx, c.l2, lease.Value{
		Key: t.rk, Token: t.token, Raw: raw, LoadedAt: t.loadedAt, TTL: ttl, Stale: stale,
	})
	if err != nil {
		f.orphan = t
	}
	return c.filled(t, mark, got, l, stored, err)
}

// filled takes note of Redis' answer to a fill.
func (c *Cache[K, V]) filled(t *ticket[K], mark l1.Mark, got found[V], l life, stored bool, err error) bool {
	switch {
	case err != nil:
		c.stats.l2Errors.Add(1)
	case !stored:
		c.stats.fillsRefused.Add(1)
	default:
		c.stats.fills.Add(1)
		c.l1.Insert(t.key, c.l1Entry(got, l, t.namespace, t.tags), mark)
	}
	return stored && err == nil
}

// lifetimes returns how long an outcome is fresh, and may be stale after that.
func (c *Cache[K, V]) lifetimes(negative bool) (ttl, stale time.Duration) {
	ttl, stale = c.opts.TTL, c.opts.StaleFor
	if negative {
		ttl, stale = c.opts.NegativeTTL, 0
	}
	if c.opts.Jitter > 0 {
		ttl -= time.Duration(rand.Float64() * c.opts.Jitter * float64(ttl))
	}
	return ttl, stale
}

// dropValue as the hold of a release removes the stale value as well.
const dropValue = -1

// release gives a lease back and tells whether it still stood.
func (c *Cache[K, V]) release(ctx context.Context, t *ticket[K], hold time.Duration) bool {
	if !t.leased {
		return false
	}
	// Also where the load has used up its time: others wait for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.CacheTimeout)
	defer cancel()
	stood, err := lease.Release(ctx, c.c, t.rk, t.token, hold)
	if err != nil {
		c.stats.l2Errors.Add(1)
	}
	return stood
}
