package larder

import (
	"context"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/lease"
)

// Set stores a value that the caller has at hand. Loads of the key that are under
// way will not be stored, and a Get that starts after Set has returned nil sees
// the value, or loads a newer one. Where two writers meet, the value goes and the
// next Get loads; with Options.Revision the higher revision stays. A value that is
// too large, or cannot be encoded, leaves the key invalidated. Write to the source
// first, or use WriteThrough.
func (c *Cache[K, V]) Set(ctx context.Context, key K, value V) error {
	rk, err := c.redisKey(key)
	if err != nil {
		return c.failed("set", "", err)
	}
	if err := c.check(ctx); err != nil {
		return c.failed("set", rk, err)
	}
	c.stats.invalidations.Add(1)
	return c.failed("set", rk, c.set(ctx, key, rk, value))
}

func (c *Cache[K, V]) set(ctx context.Context, key K, rk string, value V) error {
	t, got, err := c.writing(key, rk, value)
	if err != nil {
		return err
	}
	c.forget(key)
	if c.c == nil {
		c.setLocal(ctx, t, got, func(put func()) { c.writers.unless(key, put) })
		return nil
	}
	done, err := c.setL2(ctx, t, got)
	if err == nil && !done {
		// Another writer came in between, or there is nothing to store: which
		// value is the later one only the source knows.
		return c.unlink(ctx, []K{key}, []string{rk})
	}
	c.forget(key)
	announce(c.c, []string{rk})
	if err != nil {
		// Whether the old value stands, the new one, or none, is not known.
		c.pending.Add(c.nsKey, []string{rk}, nil)
		return undelivered(err)
	}
	return nil
}

// writing makes the ticket of a value that is known before it is stored: all its
// tags are captured with the others.
func (c *Cache[K, V]) writing(key K, rk string, value V) (*ticket[K], loaded[V], error) {
	t, err := c.ticket(key, rk)
	if err != nil {
		return nil, loaded[V]{}, err
	}
	got, err := c.describeWritten(key, value)
	if err != nil {
		return nil, loaded[V]{}, err
	}
	t.tagNames = append(slices.Clip(t.tagNames), got.tags...)
	return t, got, checkTags(t.tagNames)
}

// setLocal puts the value in, if order calls the function it is given, before it
// detaches the key's flight: one that ends in between was loaded earlier and gives
// way.
func (c *Cache[K, V]) setLocal(ctx context.Context, t *ticket[K], got loaded[V], order func(put func())) {
	_ = c.capture(ctx, t)
	t.loadedAt = time.Now().UnixNano()
	_, l, ok := c.encode(t, got, 0)
	order(func() {
		if ok {
			c.l1.Put(t.key, c.l1Entry(got.Value, false, l, t.namespace, t.tags))
		}
	})
	c.flights.detach(t.key)
}

// setL2 takes the key's lease from whoever holds it and fills. A plain SET could
// still be delivered after its context has ended, and after a later delete. It
// returns true where nothing more is to be done.
func (c *Cache[K, V]) setL2(ctx context.Context, t *ticket[K], got loaded[V]) (done bool, err error) {
	if t.leased = c.capture(ctx, t); !t.leased {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		return false, errNoGenerations
	}
	if t.leased = !t.barred(); !t.leased {
		return false, nil
	}
	raw, l, ok := c.encode(t, got, 0)
	if !ok {
		return false, nil
	}
	bctx, end := c.operate(c.brief.Context(ctx), verbFill, 1)
	defer func() { end(err) }()
	r := c.request(t, "", lease.Set)
	r.Revision = got.revision
	a, err := lease.Acquire(bctx, c.c, r)
	if err != nil {
		c.stats.l2Errors.Add(1)
		c.letGo(ctx, t) // it may have been executed
		return false, err
	}
	if a.State != lease.Granted {
		c.stats.fillsRefused.Add(1)
		// Where this cache knows of no revisions, the value of another one goes.
		return a.State == lease.Newer && c.opts.Revision != nil, nil
	}
	t.loadedAt, l.loadedAt = a.Now, a.Now
	filled, err := lease.Fill(bctx, c.c, c.fillOf(t, raw, l))
	switch {
	case err != nil:
		c.stats.l2Errors.Add(1)
		c.letGo(ctx, t) // or readers wait for a lease that nobody fills
	case filled == lease.Stored:
		c.stats.fills.Add(1)
	default:
		c.stats.fillsRefused.Add(1)
	}
	return filled == lease.Stored || filled == lease.Behind && c.opts.Revision != nil, err
}

// letGo gives back a lease that a write could not use; behind a caller who has no
// more time.
func (c *Cache[K, V]) letGo(ctx context.Context, t *ticket[K]) {
	if ctx.Err() == nil {
		c.release(ctx, t, lease.Ending{})
		return
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.closed {
		c.work.Go(func() { c.release(ctx, t, lease.Ending{}) })
	}
}

// forget drops what this process holds of a key and puts its flight out of reach.
func (c *Cache[K, V]) forget(key K) {
	c.flights.detach(key)
	c.l1.Drop(key)
}
