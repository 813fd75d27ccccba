package larder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/backplane"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/naming"
	"github.com/larder-go/larder/internal/pending"
	"github.com/larder-go/larder/observe"
)

var errNoGenerations = errors.New("the generations could not be read from Redis")

// Invalidate drops the values of keys everywhere: once it has returned nil, no
// Get that starts later returns a value whose load began before. Call it after
// the write to the source has been committed.
func (c *Cache[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	if err := c.check(ctx); err != nil {
		return c.failed("invalidate", "", err)
	}
	rks := make([]string, len(keys))
	for i, key := range keys {
		rk, err := c.redisKey(key)
		if err != nil {
			return c.failed("invalidate", "", err)
		}
		rks[i] = rk
	}
	ctx, end := c.invalidating(ctx, len(keys))
	err := c.unlink(ctx, keys, rks)
	end(err)
	return c.failed("invalidate", "", err)
}

// invalidating counts an invalidation, and tells the Observer that it begins.
func (c *Cache[K, V]) invalidating(ctx context.Context, keys int) (context.Context, observe.End) {
	c.stats.invalidations.Add(1)
	return c.operate(ctx, verbInvalidate, keys)
}

// unlink removes entries, with the leases in them, and what this process holds
// of them: before, so that nobody is served what is about to go, and after, so
// that what came in between goes too.
func (c *Cache[K, V]) unlink(ctx context.Context, keys []K, rks []string) error {
	forget := func() {
		for _, key := range keys {
			if c.c == nil {
				c.writers.disturb(func(k K) bool { return k == key })
			}
			c.forget(key)
		}
		if c.c != nil {
			announce(c.c, rks)
		}
	}
	forget()
	defer forget()
	if c.c == nil || len(rks) == 0 {
		return nil
	}
	var all []error
	for some := range slices.Chunk(rks, invalidateAtOnce) {
		_, errs := lease.Invalidate(c.brief.Context(ctx), c.c, some...)
		if err := errors.Join(errs...); err != nil {
			c.pending.Add(c.nsKey, some, nil)
			all = append(all, err)
		}
	}
	if len(all) > 0 {
		return undelivered(all[0])
	}
	return nil
}

// invalidateAtOnce is how many keys one exchange with Redis, which has CacheTimeout,
// invalidates.
const invalidateAtOnce = 1000

// InvalidateBelow drops the value of a key if its revision is lower than the one
// given. Then, until a value of at least this revision is stored, and for Options.TTL
// at most, it refuses to store lower ones: a load that reads from a replica which
// lags behind cannot bring the old one back. It needs Options.Revision. Without
// Redis it is Invalidate.
func (c *Cache[K, V]) InvalidateBelow(ctx context.Context, key K, revision uint64) (err error) {
	if c.opts.Revision == nil {
		return optionError("Revision", "nil", "a function that tells a value's revision; without it use Invalidate")
	}
	rk, err := c.redisKey(key)
	if err != nil {
		return c.failed("invalidate below", "", err)
	}
	if err := c.check(ctx); err != nil {
		return c.failed("invalidate below", rk, err)
	}
	ctx, end := c.invalidating(ctx, 1)
	defer func() { end(err) }()
	if c.c == nil { // one source of values, and no replica between
		return c.failed("invalidate below", rk, c.unlink(ctx, []K{key}, []string{rk}))
	}
	forget := func() { c.forget(key); announce(c.c, []string{rk}) }
	forget()
	defer forget()
	if err := lease.Entomb(c.brief.Context(ctx), c.c, rk, revision, c.opts.TTL); err != nil {
		c.pending.Entomb(c.nsKey, rk, revision, c.opts.TTL)
		return c.failed("invalidate below", rk, undelivered(err))
	}
	return nil
}

// bump starts new generations, or sees to it that they will be.
func (c *Cache[K, V]) bump(ctx context.Context, keys ...string) error {
	err := c.gens.Bump(c.brief.Context(ctx), keys...)
	if err != nil {
		c.pending.Add(c.nsKey, nil, keys)
		c.gens.Disown(keys...)
		return undelivered(err)
	}
	return nil
}

// undelivered is the error of an invalidation that is pending now.
func undelivered(cause error) error { return fmt.Errorf("%w: %w", ErrInvalidationPending, cause) }

// announce tells the other caches of this process on the same connection.
func announce(c conn.Conn, keys []string) {
	if tr, ok := c.Tracker(); ok {
		tr.Announce(keys...)
	}
}

// InvalidateTags drops every entry that carries one of the tags, of this and of
// every other namespace on the same Redis. It costs one command per tag, however
// many entries there are.
func (c *Cache[K, V]) InvalidateTags(ctx context.Context, tags ...string) error {
	if err := c.check(ctx); err != nil {
		return c.failed("invalidate tags", "", err)
	}
	keys, err := tagKeys(tags)
	if err != nil {
		return err
	}
	ctx, end := c.invalidating(ctx, 0)
	err = c.bump(ctx, keys...)
	end(err)
	return c.failed("invalidate tags", "", err)
}

// InvalidateTags drops every entry that carries one of the tags, in all
// namespaces on the Redis behind c. Caches of this process over the same c obey
// at once.
func InvalidateTags(ctx context.Context, c conn.Conn, tags ...string) error {
	if c == nil {
		return optionError("conn", "nil", "a connection; a cache without Redis has a method InvalidateTags")
	}
	keys, err := tagKeys(tags)
	if err != nil {
		return err
	}
	c, publish := backplane.Announcing(ctx, c)
	defer publish()
	if err := generation.Bump(ctx, c, keys...); err != nil {
		pending.New(c).Add("", nil, keys) // ends when it is delivered, or c is closed
		return &Error{Op: "invalidate tags", Err: undelivered(err)}
	}
	return nil
}

func tagKeys(tags []string) ([]string, error) {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		if err := checkTags(tags[i : i+1]); err != nil {
			return nil, err
		}
		keys[i] = generation.TagKey(tag)
	}
	return keys, nil
}

// Clear drops every entry of the namespace with one command. The source then
// gets all the loads at once: see ClearOver.
func (c *Cache[K, V]) Clear(ctx context.Context) error {
	if err := c.check(ctx); err != nil {
		return c.failed("clear", "", err)
	}
	ctx, end := c.invalidating(ctx, 0)
	err := c.bump(ctx, c.nsKey)
	end(err)
	c.l1.DropAll() // gives the memory back; the generation alone would do
	return c.failed("clear", "", err)
}

// ClearOver drops every entry of the namespace little by little: each key has its
// moment within d, and is loaded anew after it, so that the source survives. Until
// then the old value is served, which is why this is not an invalidation in the
// sense of the others. One that follows within d drops at once what the first has
// left; without Redis, everything. d is 1 ms to 24 h.
func (c *Cache[K, V]) ClearOver(ctx context.Context, d time.Duration) (err error) {
	if d < time.Millisecond || d > generation.BumpTTL {
		return optionError("d", d, "1ms to 24h; use Clear to drop all at once")
	}
	if err := c.check(ctx); err != nil {
		return c.failed("clear over", "", err)
	}
	ctx, end := c.invalidating(ctx, 0)
	defer func() { end(err) }()
	if c.c == nil {
		now := c.clock.Sync()
		if c.overUntil.Swap(now+int64(d)) > now {
			return c.failed("clear over", "", c.bump(ctx, c.nsKey))
		}
		c.flights.detachIf(func(K) bool { return true })
		c.l1.Shorten(func(key K) int64 {
			return now + int64(float64(d)*generation.Share(c.prefix+string(c.keys.Append(nil, key))))
		})
		return nil
	}
	if err := generation.BumpOver(c.brief.Context(ctx), c.c, d, c.nsKey); err != nil {
		// Later is not little by little any more: the whole namespace goes then.
		c.pending.Add(c.nsKey, nil, []string{c.nsKey})
		return c.failed("clear over", "", undelivered(err))
	}
	return nil
}

// InvalidatePrefix drops the entries whose encoded key begins with prefix: a
// string key's beginning, or a struct key's first fields ("tenant=acme&"). It
// walks the whole keyspace of Redis in small steps, so prefer tags for what is
// invalidated often. The empty prefix is refused: that is Clear.
func (c *Cache[K, V]) InvalidatePrefix(ctx context.Context, prefix string) (err error) {
	if err := c.check(ctx); err != nil {
		return c.failed("invalidate prefix", "", err)
	}
	if prefix == "" || len(prefix) > c.opts.MaxKeyBytes {
		return optionError("prefix", prefix, "1 byte to MaxKeyBytes; use Clear for the whole namespace")
	}
	ctx, end := c.invalidating(ctx, 0)
	defer func() { end(err) }()
	match := func(key K) bool { return strings.HasPrefix(string(c.keys.Append(nil, key)), prefix) }
	forget := func() {
		if c.c == nil {
			c.writers.disturb(match)
		}
		c.flights.detachIf(match)
		c.l1.DropIf(match)
	}
	forget()
	defer forget()
	if c.c == nil {
		return nil
	}
	// The walk takes as long as the keyspace is large, so it has no timeout of its
	// own; a server that is silent from the start is found out before.
	if _, err = c.c.Do(c.brief.Context(ctx), conn.Key("EXISTS", c.nsKey)); err == nil {
		err = c.walk(ctx, prefix)
	}
	if err != nil {
		// The walk cannot be resumed: all entries of the namespace go.
		c.pending.Add(c.nsKey, nil, []string{c.nsKey})
		err = undelivered(err)
	}
	return c.failed("invalidate prefix", "", err)
}

// walk drops the entries whose encoded key begins with prefix. A load that is under
// way has its lease under its key, so the walk finds it and takes the lease away.
func (c *Cache[K, V]) walk(ctx context.Context, prefix string) error {
	return c.c.Scan(ctx, naming.GlobEscape(c.prefix+prefix)+"*", func(keys []string) error {
		announce(c.c, keys)
		defer announce(c.c, keys)
		_, errs := lease.Invalidate(c.brief.Context(ctx), c.c, keys...)
		return errors.Join(errs...)
	})
}
