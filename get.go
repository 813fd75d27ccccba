package larder

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/pending"
)

// Get returns the value of a key: from the process, from Redis, or from
// Options.Load. It returns ErrNotFound where the source has none, and the
// loader's error as it is where it failed. The value is shared: do not change it.
func (c *Cache[K, V]) Get(ctx context.Context, key K) (V, error) {
	if e, ok := c.l1.Get(key); ok && c.fresh(e) {
		c.stats.hitL1()
		c.probe.offer(key)
		return e.Value, c.notFoundIf(e.Negative)
	}
	v, err := c.get(ctx, key, c.single, c.patience())
	if err == nil || errors.Is(err, ErrNotFound) {
		c.probe.offer(key)
	}
	return v, err
}

// GetWith is Get with a loader for this call. Where a load of the same key is
// already under way, its value is used.
func (c *Cache[K, V]) GetWith(ctx context.Context, key K, load func(context.Context, K) (V, error)) (V, error) {
	if e, ok := c.l1.Get(key); ok && c.fresh(e) {
		c.stats.hitL1()
		return e.Value, c.notFoundIf(e.Negative)
	}
	return c.get(ctx, key, loaderOf(load), c.patience())
}

// fresh tells whether an entry of L1 answers a Get, and there is nothing else to do.
func (c *Cache[K, V]) fresh(e *l1.Entry[V]) bool {
	now := c.clock.Now()
	return e.HotUntil > now && e.Covered(time.Duration(now)-c.bound)
}

// covered tells whether an entry of L1 counts at all, fresh or stale.
func (c *Cache[K, V]) covered(e *l1.Entry[V]) bool {
	return e.Covered(time.Duration(c.clock.Now()) - c.bound)
}

// notFoundIf is the error of a hit.
func (c *Cache[K, V]) notFoundIf(negative bool) error {
	if !negative {
		return nil
	}
	c.stats.negativeHits.Add(1)
	return ErrNotFound
}

// patience is when a call that begins now stops waiting for loads; zero for never.
func (c *Cache[K, V]) patience() time.Time {
	if c.opts.LoadSoftTimeout <= 0 {
		return time.Time{}
	}
	return time.Now().Add(c.opts.LoadSoftTimeout)
}

// get is Get behind the fast path. It waits for loads until a time, zero for ever.
func (c *Cache[K, V]) get(ctx context.Context, key K, load loader[K, V], until time.Time) (V, error) {
	return c.getSince(ctx, key, load, until, c.flights.made.Load())
}

// getSince is get of a call that began when so many flights had been made: the
// load of a later one began after it.
func (c *Cache[K, V]) getSince(ctx context.Context, key K, load loader[K, V], until time.Time, began uint64) (V, error) {
	var none V
	rk, err := c.redisKey(key)
	if err != nil {
		return none, c.failed("get", "", err)
	}
	for counted := false; ; counted = true {
		if err := c.check(ctx); err != nil {
			return none, c.failed("get", rk, err)
		}
		f, stage := c.flights.running(key)
		made, why := false, missLoading
		if f == nil {
			found := c.lookup(ctx, key, rk)
			if found.ok {
				if !counted {
					c.stats.hit(found.inL1)
				}
				return c.serve(ctx, key, rk, found, load)
			}
			why = found.why
			if load == nil {
				c.stats.miss(why)
				return none, c.failed("get", rk, ErrNoLoader)
			}
			if f, stage, made = c.flights.join(key); made && !c.launch(ctx, f, rk, found, load) {
				return none, ErrClosed
			}
		}
		if !counted {
			c.stats.miss(why)
		}
		if err := f.waitUntil(ctx, until); err != nil {
			return none, c.failed("get", rk, err)
		}
		if !c.mayUse(ctx, f, stage, began) {
			continue
		}
		if !made {
			c.stats.coalesced.Add(1)
		}
		return f.out.value, f.out.err
	}
}

// mayUse applies the rule of flight to a caller that joined at stage, and began when
// so many flights had been made.
func (c *Cache[K, V]) mayUse(ctx context.Context, f *flight[K, V], stage int, began uint64) bool {
	o := &f.out
	if errors.Is(o.err, errElsewhere) {
		return false
	}
	if f.no > began || o.err != nil && !errors.Is(o.err, ErrNotFound) || stage < o.stage {
		return true
	}
	if f.sealed > 0 && stage >= f.sealed {
		return false
	}
	if !o.accepted || c.pending.Len() > 0 && c.pending.Blocks(keysOf(o.namespace, o.tags)...) {
		return false
	}
	rk, err := c.redisKey(f.key)
	if err != nil {
		return false
	}
	namespace := o.namespace
	_, current := c.areCurrent(ctx, rk, &namespace, o.tags, nil)
	return current
}

// found is what the two tiers have of a key.
type found[V any] struct {
	ok bool // value is an answer, or negative says that there is none
	// inL1 says that the process had it.
	inL1 bool
	// stale says that the answer is past its TTL and wants a refresh, ahead that it
	// wants one although it is fresh.
	stale, ahead, negative bool
	value                  V
	// why there is no answer.
	why      reason
	loadedAt int64
	// freshUntil is the end of the TTL that stands in Redis, 0 if not known, and
	// due says that it is so near that some Get is to refresh the value.
	freshUntil int64
	due        bool
	// down says that Redis could not be asked, until when what is left of
	// CacheTimeout ends; zero for all of it.
	down  bool
	until time.Time
	// rejected is the id of an entry that was found and must not be used, old what
	// it held, where a loader has a use for it.
	rejected string
	old      *Item[V]
}

// behind says what a refresh needs to know of the value that it replaces.
func (f found[V]) behind() found[V] {
	return found[V]{stale: f.stale, ahead: f.ahead, freshUntil: f.freshUntil}
}

// wantsRefresh tells whether a value is to be loaded while it is served.
func (f found[V]) wantsRefresh() bool { return f.stale || f.ahead }

// lookup asks L1 for a stale value and then Redis. It never waits for a load.
func (c *Cache[K, V]) lookup(ctx context.Context, key K, rk string) found[V] {
	why := missAbsent
	if e, ok := c.l1.Get(key); ok {
		if hit, covered := c.openL1(e); hit.ok {
			return hit
		} else if covered {
			why = missExpired
		} else if c.c == nil {
			why = uncoveredOf(e, c.nsKey)
		}
	}
	if c.c == nil {
		return found[V]{why: why}
	}
	ctx = c.brief.Context(ctx)
	asked := c.ask(key, rk)
	hit := found[V]{why: why}
	raw, down := c.read(ctx, rk)
	switch {
	case raw != "":
		hit = c.open(ctx, key, rk, raw, asked)
	case down:
		hit.why = missUnreachable
	case c.lapsed.has(key):
		hit.why = missExpired
	}
	if !hit.ok {
		hit.down = down
		hit.until, _ = ctx.Deadline()
	}
	return hit
}

// openL1 turns an entry of L1 into an answer, if it counts and may still be served.
func (c *Cache[K, V]) openL1(e *l1.Entry[V]) (hit found[V], covered bool) {
	if !c.covered(e) {
		return found[V]{}, false
	}
	now := c.clock.Now()
	hit = found[V]{ok: e.FreshUntil > now || e.StaleUntil > now, inL1: true, negative: e.Negative, value: e.Value, loadedAt: e.LoadedAt}
	hit.stale = e.FreshUntil <= now
	hit.ahead = drawAhead(time.Duration(e.FreshUntil-now), time.Duration(e.FreshUntil-e.HotUntil))
	return hit, true
}

// serve returns what lookup found, starting a refresh where it is stale.
func (c *Cache[K, V]) serve(ctx context.Context, key K, rk string, hit found[V], load loader[K, V]) (V, error) {
	if hit.stale {
		c.stats.staleHits.Add(1)
	}
	if hit.wantsRefresh() && load != nil {
		if f, made := c.flights.refresh(key); made {
			c.launch(ctx, f, rk, hit.behind(), load)
		}
	}
	return hit.value, c.notFoundIf(hit.negative)
}

// asked is the state before a key was asked for, which what is found is judged by.
type asked struct {
	mark    l1.Mark
	pending pending.Moment
}

func (c *Cache[K, V]) ask(key K, rk string) asked { return asked{c.mark(key, rk), c.pending.Now()} }

// askScript is ask for a script that returns an entry. Redis executes it without
// tracking the key: what it finds is not for L1.
func (c *Cache[K, V]) askScript() asked { return asked{l1.Mark{Void: true}, c.pending.Now()} }

func (c *Cache[K, V]) mark(key K, rk string) l1.Mark {
	if c.tr == nil {
		return c.l1.Mark(key, nil)
	}
	epoch := c.tr.Epoch(rk)
	m := c.l1.Mark(key, epoch)
	if epoch.Lossy() {
		m.Until = int64(conn.Uptime() + c.bound)
	}
	return m
}
