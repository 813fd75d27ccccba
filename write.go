package larder

import (
	"context"
	"time"

	"github.com/larder-go/larder/internal/lease"
)

// Set stores a value that the caller has at hand. Loads of the key that are under
// way will not be stored, and a Get that starts after Set has returned nil sees
// the value, or loads a newer one. Where two writers meet, the value goes and the
// next Get loads. A value that is too large, or cannot be encoded, leaves the key
// invalidated. Write to the source first.
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
	t, err := c.ticket(key, rk)
	if err != nil {
		return err
	}
	c.forget(key)
	if c.c == nil {
		c.setLocal(ctx, t, value)
		return nil
	}
	stored, err := c.setL2(ctx, t, value)
	if err == nil && !stored {
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

// setLocal puts the value in before it detaches the key's flight: one that ends
// in between was loaded earlier and gives way.
func (c *Cache[K, V]) setLocal(ctx context.Context, t *ticket[K], value V) {
	_ = c.capture(ctx, t)
	got := found[V]{value: value}
	if _, size, ok := c.encode(t, got, 0); ok {
		ttl, stale := c.lifetimes(false)
		l := life{loadedAt: time.Now().UnixNano(), fresh: ttl, stale: ttl + stale, size: size}
		c.l1.Put(t.key, c.l1Entry(got, l, t.namespace, t.tags))
	}
	c.flights.detach(t.key)
}

// setL2 takes the key's lease from whoever holds it and fills. A plain SET could
// still be delivered after its context has ended, and after a later delete.
func (c *Cache[K, V]) setL2(ctx context.Context, t *ticket[K], value V) (stored bool, err error) {
	if t.leased = c.capture(ctx, t); !t.leased {
		return false, errNoGenerations
	}
	raw, _, ok := c.encode(t, found[V]{value: value}, 0)
	if !ok {
		return false, nil
	}
	bctx := c.brief.Context(ctx)
	a, err := lease.Acquire(bctx, c.c, c.request(t, "", lease.Set))
	if err != nil {
		c.stats.l2Errors.Add(1)
		c.release(ctx, t, 0) // it may have been executed
		return false, err
	}
	ttl, stale := c.lifetimes(false)
	stored, err = lease.Fill(bctx, c.c, lease.Value{
		Key: t.rk, Token: t.token, Raw: raw, LoadedAt: a.Now, TTL: ttl, Stale: stale,
	})
	switch {
	case err != nil:
		c.stats.l2Errors.Add(1)
		c.release(ctx, t, 0) // or readers wait for a lease that nobody fills
	case stored:
		c.stats.fills.Add(1)
	default:
		c.stats.fillsRefused.Add(1)
	}
	return stored, err
}

// forget drops what this process holds of a key and puts its flight out of reach.
func (c *Cache[K, V]) forget(key K) {
	c.flights.detach(key)
	c.l1.Drop(key)
}
