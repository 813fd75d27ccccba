package larder

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
)

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
	var wg sync.WaitGroup
	limit := make(chan struct{}, maxBatchLoads)
	each := func(fn func()) {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			fn()
		})
	}
	var alone []*miss[K, V]
	size := len(own)
	if c.opts.LoadMany == nil {
		size = maxBatchLoads // a lease that waits for its load to begin would run out
	}
	for part := range slices.Chunk(own, size) {
		granted, others := c.prepareMany(ctx, part)
		alone = append(alone, others...)
		if c.c != nil && len(granted) > 0 {
			granted, others = c.acquireMany(ctx, granted)
			alone = append(alone, others...)
		}
		if c.opts.LoadMany != nil {
			if len(granted) > 0 {
				each(func() { c.loadMany(ctx, granted) })
			}
			continue
		}
		for _, g := range granted {
			each(func() {
				out := c.load(ctx, g.f, g.t, g.found, c.single)
				c.finish(ctx, g.f, out, g.found)
			})
		}
		wg.Wait()
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
		case m.f.after != nil, m.found.down, m.found.ahead:
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
		return nil, alone
	}
	return slices.DeleteFunc(asked, func(a *ticketed[K, V]) bool {
		if a.t.barred() {
			alone = append(alone, a.miss)
		}
		return a.t.barred()
	}), alone
}

// ticketed is a miss that is ready to be loaded.
type ticketed[K comparable, V any] struct {
	*miss[K, V]
	t *ticket[K]
}

// acquireMany sorts flights by what Redis answers: those it grants, those that
// must go on alone, and those that found a value, which end here.
func (c *Cache[K, V]) acquireMany(ctx context.Context, asking []*ticketed[K, V]) (granted []*ticketed[K, V], alone []*miss[K, V]) {
	requests := make([]lease.Request, len(asking))
	stages := make([]int, len(asking))
	for i, a := range asking {
		requests[i] = c.request(a.t, a.found.rejected, lease.Load)
		stages[i] = c.flights.advance(a.f)
	}
	asked := c.askScript()
	answers, errs := lease.AcquireEach(c.brief.Context(ctx), c.c, requests)
	for i, a := range asking {
		switch {
		case errs[i] != nil:
			c.stats.l2Errors.Add(1)
			a.found.down = true
			a.t.leased, a.f.orphan = true, a.t
			alone = append(alone, a.miss)
		case answers[i].State == lease.Granted:
			a.t.leased, a.t.loadedAt = true, answers[i].Now
			if e, err := entry.Parse(answers[i].Raw); err == nil {
				a.found.old = c.oldOf(e)
			}
			granted = append(granted, a)
		case answers[i].State == lease.Fresh:
			if hit := c.open(ctx, a.key, a.rk, answers[i].Raw, asked); hit.ok {
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
	loads := make([]loaded[V], len(granted))
	start := time.Now()
	for _, g := range granted {
		g.t.begun = c.gens.Begin(g.rk, g.t.loadedAt)
	}
	lctx, end := c.operate(lctx, verbLoad, len(keys))
	err := c.guard(lctx, tickets, func(ctx context.Context) (func(), error) {
		values, err := c.opts.LoadMany(ctx, keys)
		if err != nil {
			return nil, err
		}
		brought := make([]loaded[V], len(keys))
		for i, key := range keys {
			v, ok := values[key]
			if brought[i].negative = !ok; ok {
				brought[i] = c.describe(key, Item[V]{Value: v})
			}
		}
		return func() { loads = brought }, nil
	})
	end(err)
	cost := time.Since(start) / time.Duration(len(keys))
	outs := make([]outcome[V], len(granted))
	var (
		brought []*ticketed[K, V]
		gots    []loaded[V]
		at      []int
		failed  []*ticket[K]
	)
	for i, g := range granted {
		outs[i] = outcome[V]{err: err, stage: stages[i]}
		if err != nil {
			c.stats.loadErrors.Add(1)
			failed = append(failed, g.t)
			continue
		}
		outs[i].value = loads[i].Value
		if loads[i].negative {
			outs[i].err = ErrNotFound
		}
		brought, gots, at = append(brought, g), append(gots, loads[i]), append(at, i)
	}
	for j, accepted := range c.storeMany(ctx, brought, gots, cost) {
		outs[at[j]].accepted = accepted
		outs[at[j]].namespace, outs[at[j]].tags = brought[j].t.namespace, brought[j].t.tags
	}
	// Where there is a stale value nobody tries again for a while.
	ending := c.failure()
	ending.Hold = c.opts.RetryAfter
	c.releaseMany(ctx, failed, ending)
	var orphans []*ticket[K]
	for i, g := range granted {
		if g.f.orphan != nil {
			orphans = append(orphans, g.f.orphan)
		}
		outs[i].err = c.orClosed(outs[i].err)
		c.flights.end(g.f, outs[i], c.cool(outs[i].err, g.found))
	}
	c.releaseMany(ctx, orphans, lease.Ending{})
}

// releaseMany is release for a batch of held leases.
func (c *Cache[K, V]) releaseMany(ctx context.Context, ts []*ticket[K], end lease.Ending) []bool {
	ls := leasesOf(ts)
	if len(ls) == 0 {
		return make([]bool, len(ts))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.CacheTimeout)
	defer cancel()
	stood, errs := lease.ReleaseEach(ctx, c.c, ls, end)
	for _, err := range errs {
		if err != nil {
			c.stats.l2Errors.Add(1)
		}
	}
	return stood
}

// storeMany is store for a batch, its fills in one round trip per node.
func (c *Cache[K, V]) storeMany(ctx context.Context, granted []*ticketed[K, V], gots []loaded[V], cost time.Duration) []bool {
	accepted := make([]bool, len(granted))
	tickets := make([]*ticket[K], len(granted))
	for i, g := range granted {
		tickets[i] = g.t
	}
	storable := c.captureLate(ctx, tickets, gots)
	var (
		at    []int
		fills []lease.Value
		marks []l1.Mark
		lives []life

		dropAt []int
		drops  []*ticket[K]
	)
	for i, g := range granted {
		if c.c == nil {
			if storable[i] {
				accepted[i] = c.store(ctx, g.f, g.t, gots[i], cost)
			} else {
				c.l1.Drop(g.key)
			}
			continue
		}
		raw, l, ok := c.encode(g.t, gots[i], cost)
		c.flights.seal(g.f)
		if !ok || !storable[i] {
			dropAt, drops = append(dropAt, i), append(drops, g.t)
			c.l1.Drop(g.key)
			continue
		}
		at = append(at, i)
		marks = append(marks, c.mark(g.key, g.rk))
		lives = append(lives, l)
		fills = append(fills, c.fillOf(g.t, raw, l))
	}
	if len(drops) > 0 {
		for j, stood := range c.releaseMany(ctx, drops, lease.Ending{Drop: true}) {
			accepted[dropAt[j]] = stood && storable[dropAt[j]]
		}
	}
	if len(fills) == 0 {
		return accepted
	}
	fctx, end := c.operate(c.brief.Context(ctx), verbFill, len(fills))
	stored, errs := lease.FillEach(fctx, c.l2, fills)
	end(errors.Join(errs...))
	for j, i := range at {
		accepted[i] = c.filled(granted[i].t, marks[j], gots[i], lives[j], stored[j], errs[j])
		if errs[j] != nil {
			granted[i].f.orphan = granted[i].t
		}
	}
	return accepted
}
