package larder

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
)

// maxBatchLoads bounds the loads that one GetMany runs at the same time where
// there is no Options.LoadMany.
const maxBatchLoads = 16

// GetMany returns the values of several keys: those that Redis holds in one
// round trip per node, the others by Options.LoadMany, or by Options.Load for up
// to 16 keys at a time. Keys without a value are missing in the map. Where loads
// failed, the map holds what could be had and the error joins theirs.
func (c *Cache[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	out, _, err := c.getMany(ctx, keys, c.patience())
	if len(out) > 0 {
		c.probe.offer(keys[rand.IntN(len(keys))])
	}
	return out, err
}

// getMany is GetMany that also tells how many keys could not be seen to. It waits
// for loads until a time, zero for ever.
func (c *Cache[K, V]) getMany(ctx context.Context, keys []K, until time.Time) (out map[K]V, failed int, err error) {
	out = make(map[K]V, len(keys))
	if err := c.check(ctx); err != nil {
		return out, len(keys), c.failed("get many", "", err)
	}
	began := c.flights.made.Load()
	missing, err := c.lookupMany(ctx, keys, out)
	if err != nil {
		return out, len(keys), c.failed("get many", "", err)
	}
	if len(missing) == 0 {
		return out, 0, nil
	}
	for _, m := range missing {
		c.stats.miss(m.found.why)
	}
	if c.single == nil {
		return out, len(missing), c.failed("get many", "", ErrNoLoader)
	}
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
		v, err := c.land(ctx, m, until, began)
		switch {
		case err == nil:
			out[m.key] = v
		case !errors.Is(err, ErrNotFound):
			errs = append(errs, err)
		}
	}
	return out, len(errs), c.failed("get many", "", errors.Join(errs...))
}

// refreshing makes a flight behind a stale value where there is a loader for it.
func (c *Cache[K, V]) refreshing(key K) (*flight[K, V], bool) {
	if c.single == nil {
		return nil, false
	}
	return c.flights.refresh(key)
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
		marks   []asked
		cmds    []conn.Command
		seen    = make(map[K]bool, len(keys))
	)
	var refreshes []*miss[K, V]
	defer func() {
		if len(refreshes) > 0 {
			c.launchMany(ctx, refreshes)
		}
	}()
	answer := func(m *miss[K, V]) {
		c.stats.hit(m.found.inL1)
		if m.found.stale {
			c.stats.staleHits.Add(1)
		}
		if m.found.wantsRefresh() {
			if f, made := c.refreshing(m.key); made {
				refreshes = append(refreshes, &miss[K, V]{key: m.key, rk: m.rk, found: m.found.behind(), f: f, made: true})
			}
		}
		if c.notFoundIf(m.found.negative) == nil {
			out[m.key] = m.found.value
		}
	}
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		if e, ok := c.l1.Get(key); ok && c.fresh(e) {
			c.stats.hitL1()
			if c.notFoundIf(e.Negative) == nil {
				out[key] = e.Value
			}
			continue
		}
		rk, err := c.redisKey(key)
		if err != nil {
			return nil, err
		}
		m := &miss[K, V]{key: key, rk: rk}
		if e, ok := c.l1.Get(key); ok {
			hit, covered := c.openL1(e)
			if hit.ok {
				m.found = hit
				answer(m)
				continue
			}
			if covered {
				m.found.why = missExpired
			} else if c.c == nil {
				m.found.why = uncoveredOf(e, c.nsKey)
			}
		}
		missing = append(missing, m)
		if c.c != nil {
			marks = append(marks, c.ask(key, rk))
			cmds = append(cmds, conn.Key("GET", rk))
		}
	}
	if len(cmds) == 0 {
		return missing, nil
	}
	bctx := c.brief.Context(ctx)
	rest := missing[:0:0]
	octx, end := c.operate(bctx, verbRead, len(cmds))
	results := c.l2.Pipeline(octx, cmds...)
	end(firstError(results))
	c.meet(ctx, results)
	for i, r := range results {
		m := missing[i]
		switch {
		case r.Err != nil:
			c.stats.l2Errors.Add(1)
			m.found.down, m.found.why = true, missUnreachable
		case !r.Value.IsNil():
			m.found = c.open(ctx, m.key, m.rk, r.Value.Str, marks[i])
		case c.lapsed.has(m.key):
			m.found.why = missExpired
		}
		if !m.found.ok {
			rest = append(rest, m)
			continue
		}
		answer(m)
	}
	return rest, nil
}

// meet learns in one round trip the generations that entries name.
func (c *Cache[K, V]) meet(ctx context.Context, results []conn.Result) {
	seen, since := map[*generation.Generation]bool{}, conn.Uptime()-c.opts.StalenessBound
	var gs []*generation.Generation
	for _, r := range results {
		e, err := entry.Parse(r.Value.Str)
		if r.Err != nil || err != nil {
			continue
		}
		namespace, tags := c.stampsOf(e)
		for _, s := range append(tags, namespace) {
			v, known := s.Generation.Current(since)
			if seen[s.Generation] || known && (v.Number == s.Number || v.Previous == s.Number) {
				continue
			}
			if known {
				s.Generation.Forget()
			}
			seen[s.Generation] = true
			gs = append(gs, s.Generation)
		}
	}
	if len(gs) > 1 { // an error shows again where an entry is opened
		_ = c.gens.Read(c.brief.Context(ctx), gs, make([]generation.Value, len(gs)))
	}
}

// land waits for the flight of a miss; where its value may not be used, the key
// is got by itself.
func (c *Cache[K, V]) land(ctx context.Context, m *miss[K, V], until time.Time, began uint64) (V, error) {
	if err := m.f.waitUntil(ctx, until); err != nil {
		var none V
		return none, err
	}
	if !c.mayUse(ctx, m.f, m.stage, began) {
		return c.getSince(ctx, m.key, c.single, until, began)
	}
	if !m.made {
		c.stats.coalesced.Add(1)
	}
	return m.f.out.value, m.f.out.err
}
