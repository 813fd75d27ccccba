package larder

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
)

// maxBatchLoads bounds the loads that one GetMany runs at the same time where
// there is no Options.LoadMany.
const maxBatchLoads = 16

// GetMany returns the values of several keys: those that Redis holds in one
// round trip per node, the others by Options.LoadMany, or by Options.Load for up
// to 16 keys at a time. Keys without a value are missing in the map. Where loads
// failed, the map holds what could be had and the error joins theirs.
func (c *Cache[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	out := make(map[K]V, len(keys))
	if err := c.check(ctx); err != nil {
		return out, c.failed("get many", "", err)
	}
	missing, err := c.lookupMany(ctx, keys, out)
	if err != nil {
		return out, c.failed("get many", "", err)
	}
	if len(missing) == 0 {
		return out, nil
	}
	if c.single == nil {
		return out, c.failed("get many", "", ErrNoLoader)
	}
	c.stats.misses.Add(uint64(len(missing)))
	var own []*miss[K, V]
	for _, m := range missing {
		if m.f, m.stage, m.made = c.flights.join(m.key); m.made {
			own = append(own, m)
		}
	}
	if len(own) > 0 {
		c.launchMany(ctx, own)
	}
	var errs []error
	for _, m := range missing {
		v, err := c.land(ctx, m)
		switch {
		case err == nil:
			out[m.key] = v
		case !errors.Is(err, ErrNotFound):
			errs = append(errs, err)
		}
	}
	return out, c.failed("get many", "", errors.Join(errs...))
}

// miss is a key of a GetMany that neither tier had, and its flight.
type miss[K comparable, V any] struct {
	key   K
	rk    string
	found found[V]
	f     *flight[K, V]
	stage int
	made  bool
}

// lookupMany puts what the tiers have into out and returns the rest.
func (c *Cache[K, V]) lookupMany(ctx context.Context, keys []K, out map[K]V) ([]*miss[K, V], error) {
	var (
		missing []*miss[K, V]
		marks   []l1.Mark
		cmds    []conn.Command
		seen    = make(map[K]bool, len(keys))
	)
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		if e, ok := c.l1.Get(key); ok && e.FreshUntil > c.clock.Now() && e.Covered() {
			c.stats.l1[e.Shard%hitStripes].n.Add(1)
			if !e.Negative {
				out[key] = e.Value
			}
			continue
		}
		rk, err := c.redisKey(key)
		if err != nil {
			return nil, err
		}
		missing = append(missing, &miss[K, V]{key: key, rk: rk})
		if c.c != nil {
			marks = append(marks, c.mark(key, rk))
			cmds = append(cmds, conn.Key("GET", rk))
		}
	}
	if len(cmds) == 0 {
		return missing, nil
	}
	bctx := c.brief.Context(ctx)
	rest := missing[:0:0]
	for i, r := range c.l2.Pipeline(bctx, cmds...) {
		m := missing[i]
		switch {
		case r.Err != nil:
			c.stats.l2Errors.Add(1)
			m.found.down = true
		case !r.Value.IsNil():
			m.found = c.open(ctx, m.key, r.Value.Str, marks[i])
		}
		if !m.found.ok {
			rest = append(rest, m)
			continue
		}
		c.stats.hit(false)
		if v, err := c.serve(ctx, m.key, m.rk, m.found, c.single); err == nil {
			out[m.key] = v
		}
	}
	return rest, nil
}

// land waits for the flight of a miss; where its value may not be used, the key
// is got by itself.
func (c *Cache[K, V]) land(ctx context.Context, m *miss[K, V]) (V, error) {
	if err := m.f.wait(ctx); err != nil {
		var none V
		return none, err
	}
	if !c.mayUse(ctx, m.f, m.stage) {
		return c.get(ctx, m.key, c.single)
	}
	if !m.made {
		c.stats.coalesced.Add(1)
	}
	return m.f.out.value, m.f.out.err
}

// single makes the loader of one key, also where only LoadMany is set. It is nil
// where there is neither.
func (o *Options[K, V]) single() loader[K, V] {
	if o.Load != nil || o.LoadMany == nil {
		return o.Load
	}
	return func(ctx context.Context, key K) (V, error) {
		got, err := o.LoadMany(ctx, []K{key})
		v, ok := got[key]
		if err == nil && !ok {
			err = ErrNotFound
		}
		return v, err
	}
}

// launchMany flies the flights that a GetMany has made, together.
func (c *Cache[K, V]) launchMany(ctx context.Context, own []*miss[K, V]) {
	fs := make([]*flight[K, V], len(own))
	for i, m := range own {
		fs[i] = m.f
	}
	c.spawn(ctx, fs, func(ctx context.Context) { c.flyMany(ctx, own) })
}

// flyMany acquires the leases of all flights in one round trip, loads what was
// granted, and leaves to flights of their own what has to wait for others.
func (c *Cache[K, V]) flyMany(ctx context.Context, own []*miss[K, V]) {
	asked, alone := c.prepareMany(ctx, own)
	granted := asked
	if c.c != nil && len(asked) > 0 {
		var others []*miss[K, V]
		granted, others = c.acquireMany(ctx, asked)
		alone = append(alone, others...)
	}
	var wg sync.WaitGroup
	limit := make(chan struct{}, maxBatchLoads)
	each := func(fn func()) {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			fn()
		})
	}
	if c.opts.LoadMany == nil {
		for _, g := range granted {
			each(func() { c.flights.end(g.f, c.load(ctx, g.f, g.t, false, c.single), 0) })
		}
	} else if len(granted) > 0 {
		each(func() { c.loadMany(ctx, granted) })
	}
	for _, m := range alone {
		each(func() { c.fly(ctx, m.f, m.rk, m.found, c.single) })
	}
	wg.Wait()
}

// prepareMany makes the tickets of a batch. Flights that must wait for another
// one to end, or cannot ask Redis, go on alone.
func (c *Cache[K, V]) prepareMany(ctx context.Context, own []*miss[K, V]) (asked []*ticketed[K, V], alone []*miss[K, V]) {
	var tickets []*ticket[K]
	for _, m := range own {
		t, err := c.ticket(m.key, m.rk)
		switch {
		case err != nil:
			c.flights.end(m.f, outcome[V]{err: err}, 0)
		case m.f.after != nil, m.found.down:
			alone = append(alone, m)
		default:
			t.loadedAt = time.Now().UnixNano() // where there is no Redis to tell
			asked = append(asked, &ticketed[K, V]{miss: m, t: t})
			tickets = append(tickets, t)
		}
	}
	if len(asked) > 0 && !c.capture(ctx, tickets...) {
		for _, a := range asked {
			a.found.down = true
			alone = append(alone, a.miss)
		}
		asked = nil
	}
	return asked, alone
}

// ticketed is a miss that is ready to be loaded.
type ticketed[K comparable, V any] struct {
	*miss[K, V]
	t *ticket[K]
}

// acquireMany sorts flights by what Redis answers: those it grants, those that
// must go on alone, and those that found a value, which end here.
func (c *Cache[K, V]) acquireMany(ctx context.Context, asked []*ticketed[K, V]) (granted []*ticketed[K, V], alone []*miss[K, V]) {
	requests := make([]lease.Request, len(asked))
	stages := make([]int, len(asked))
	for i, a := range asked {
		requests[i] = c.request(a.t, a.found.rejected, lease.Load)
		stages[i] = c.flights.advance(a.f)
	}
	bctx := c.brief.Context(ctx)
	answers, errs := lease.AcquireEach(bctx, c.c, requests)
	for i, a := range asked {
		switch {
		case errs[i] != nil:
			c.stats.l2Errors.Add(1)
			a.found.down = true
			alone = append(alone, a.miss)
		case answers[i].State == lease.Granted:
			a.t.leased, a.t.loadedAt = true, answers[i].Now
			granted = append(granted, a)
		case answers[i].State == lease.Fresh:
			if hit := c.open(ctx, a.key, answers[i].Raw, l1.Mark{Void: true}); hit.ok {
				c.flights.end(a.f, outcome[V]{value: hit.value, err: c.notFoundIf(hit.negative), stage: stages[i]}, 0)
				continue
			}
			alone = append(alone, a.miss)
		default:
			alone = append(alone, a.miss)
		}
	}
	return granted, alone
}

// loadMany calls Options.LoadMany once and stores what it brings.
func (c *Cache[K, V]) loadMany(ctx context.Context, granted []*ticketed[K, V]) {
	keys, tickets, stages := make([]K, len(granted)), make([]*ticket[K], len(granted)), make([]int, len(granted))
	for i, g := range granted {
		keys[i], tickets[i], stages[i] = g.key, g.t, c.flights.advance(g.f)
	}
	c.stats.loads.Add(uint64(len(keys)))
	lctx, cancel := context.WithTimeout(ctx, c.opts.LoadTimeout)
	defer cancel()
	var values map[K]V
	start := time.Now()
	err := c.guard(lctx, tickets, func(ctx context.Context) (func(), error) {
		got, err := c.opts.LoadMany(ctx, keys)
		return func() { values = got }, err
	})
	cost := time.Since(start) / time.Duration(len(keys))
	outs, gots := make([]outcome[V], len(granted)), make([]found[V], len(granted))
	for i, g := range granted {
		outs[i] = outcome[V]{err: err, stage: stages[i], namespace: g.t.namespace, tags: g.t.tags}
		if err != nil {
			c.stats.loadErrors.Add(1)
			continue
		}
		v, ok := values[g.key]
		gots[i] = found[V]{value: v, negative: !ok}
		outs[i].value = v
		if !ok {
			outs[i].err = ErrNotFound
		}
	}
	if err == nil {
		for i, accepted := range c.storeMany(ctx, granted, gots, cost) {
			outs[i].accepted = accepted
		}
	}
	for i, g := range granted {
		if err != nil {
			c.release(ctx, g.t, 0)
		}
		c.flights.end(g.f, outs[i], 0)
	}
}

// storeMany is store for a batch, its fills in one round trip per node.
func (c *Cache[K, V]) storeMany(ctx context.Context, granted []*ticketed[K, V], gots []found[V], cost time.Duration) []bool {
	accepted := make([]bool, len(granted))
	var (
		at    []int
		fills []lease.Value
		marks []l1.Mark
		lives []life
	)
	for i, g := range granted {
		ttl, stale := c.lifetimes(gots[i].negative)
		raw, size, ok := c.encode(g.t, gots[i], cost)
		if c.c == nil || !ok || ttl <= 0 {
			accepted[i] = c.store(ctx, g.f, g.t, gots[i], cost)
			continue
		}
		at = append(at, i)
		marks = append(marks, c.mark(g.key, g.rk))
		lives = append(lives, life{loadedAt: g.t.loadedAt, fresh: ttl, stale: ttl + stale, size: size})
		fills = append(fills, lease.Value{Key: g.rk, Token: g.t.token, Raw: raw, LoadedAt: g.t.loadedAt, TTL: ttl, Stale: stale})
	}
	if len(fills) == 0 {
		return accepted
	}
	bctx := c.brief.Context(ctx)
	stored, errs := lease.FillEach(bctx, c.l2, fills)
	for j, i := range at {
		accepted[i] = c.filled(granted[i].t, marks[j], gots[i], lives[j], stored[j], errs[j])
	}
	return accepted
}
