package larder

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/naming"
)

// maxTags bounds what Options.Tags returns.
const maxTags = 32

// call runs a loader, protected from its panics and bounded in time, and renews
// the lease while it runs. A loader that does not end with its context is left
// behind. Where it finds that there is no value, that is a negative outcome beside
// the error.
func (c *Cache[K, V]) call(ctx context.Context, t *ticket[K], old *Item[V], load loader[K, V]) (got loaded[V], err error) {
	c.stats.loads.Add(1)
	ctx, cancel := context.WithTimeout(ctx, c.opts.LoadTimeout)
	defer cancel()
	t.begun = c.gens.Begin(t.rk, t.loadedAt)
	ctx, end := c.operate(ctx, verbLoad, 1)
	err = c.guard(ctx, []*ticket[K]{t}, func(ctx context.Context) (func(), error) {
		item, err := load(ctx, t.key, old)
		item, err = keepOld(item, err, old)
		if err != nil {
			return nil, err
		}
		brought := c.describe(t.key, item)
		return func() { got = brought }, nil
	})
	if got.negative = errors.Is(err, ErrNotFound); got.negative {
		end(nil)
	} else {
		end(err)
	}
	return got, err
}

// guard runs fn on a goroutine of its own until it returns, panics or ctx ends,
// and keeps the leases of ts alive meanwhile. What fn returns is run only if it
// came in time, so that a late one writes nowhere.
func (c *Cache[K, V]) guard(ctx context.Context, ts []*ticket[K], fn func(context.Context) (func(), error)) error {
	type result struct {
		take func()
		err  error
	}
	results := make(chan result, 1)
	go func() {
		r := result{err: fmt.Errorf("%w: it ended its goroutine", ErrLoaderPanic)}
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("%w: %v\n%s", ErrLoaderPanic, p, debug.Stack())}
			}
			results <- r
		}()
		take, err := fn(ctx)
		r = result{take: take, err: err}
	}()
	renewing := make(chan struct{}, 1) // apart, so that a slow Redis does not keep the result waiting
	renew := time.NewTicker(c.opts.Lease / 3)
	defer renew.Stop()
	for {
		select {
		case r := <-results:
			if r.take != nil {
				r.take()
			}
			return r.err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrLoadTimeout, ctx.Err())
		case <-renew.C:
			select {
			case renewing <- struct{}{}:
				c.work.Go(func() { c.renew(ctx, ts); <-renewing })
			default:
			}
		}
	}
}

// renew extends leases. One that is lost stays lost: the fill will be refused.
func (c *Cache[K, V]) renew(ctx context.Context, ts []*ticket[K]) {
	ls := leasesOf(ts)
	if len(ls) == 0 {
		return
	}
	ctx = c.brief.Context(ctx)
	_, errs := lease.RenewEach(ctx, c.c, ls, c.opts.Lease)
	for _, err := range errs {
		if err != nil {
			c.stats.l2Errors.Add(1)
		}
	}
}

func leasesOf[K comparable](ts []*ticket[K]) []lease.HeldLease {
	var ls []lease.HeldLease
	for _, t := range ts {
		if t.leased {
			ls = append(ls, lease.HeldLease{Key: t.rk, Token: t.token})
		}
	}
	return ls
}

// ticket prepares the load of a key: its token and the names of its tags.
func (c *Cache[K, V]) ticket(key K, rk string) (t *ticket[K], err error) {
	t = &ticket[K]{key: key, rk: rk, token: lease.Token()}
	if c.opts.Tags == nil {
		return t, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("larder: Options.Tags panicked: %v", p)
		}
	}()
	t.tagNames = c.opts.Tags(key)
	return t, checkTags(t.tagNames)
}

func checkTags(tags []string) error {
	if len(tags) > maxTags {
		return optionError("the number of tags", len(tags), fmt.Sprintf("at most %d", maxTags))
	}
	for _, tag := range tags {
		if !naming.IsTag(tag) {
			return optionError("the length of a tag", len(tag), naming.TagAllowed)
		}
	}
	return nil
}

// capture notes the generations that a load begins under. It returns false, and
// leaves a ticket that cannot land, where Redis does not answer.
func (c *Cache[K, V]) capture(ctx context.Context, ts ...*ticket[K]) bool {
	var gs []*generation.Generation
	for _, t := range ts {
		gs = append(gs, c.gens.Get(c.nsKey))
		for _, name := range t.tagNames {
			gs = append(gs, c.gens.Get(generation.TagKey(name)))
		}
	}
	values := make([]generation.Value, len(gs))
	ctx = c.brief.Context(ctx)
	if err := c.gens.Capture(ctx, gs, values); err != nil {
		c.stats.l2Errors.Add(1)
		return false
	}
	i := 0
	next := func() l1.Stamp {
		i++
		return l1.Stamp{Generation: gs[i-1], Number: values[i-1].Number}
	}
	for _, t := range ts {
		t.namespace, t.tags = next(), make([]l1.Stamp, 0, len(t.tagNames))
		for range t.tagNames {
			t.tags = append(t.tags, next())
		}
	}
	return true
}

// captureLate adds the tags that only the loaded values know to their tickets, and
// tells which of them may be stored: those none of whose tags was invalidated since
// the load began.
func (c *Cache[K, V]) captureLate(ctx context.Context, ts []*ticket[K], gots []loaded[V]) []bool {
	var gs []*generation.Generation
	var begun []generation.Beginning
	for j, got := range gots {
		for _, name := range got.tags {
			gs = append(gs, c.gens.Get(generation.TagKey(name)))
			begun = append(begun, ts[j].begun)
		}
	}
	storable := make([]bool, len(ts))
	values, ok := make([]generation.Value, len(gs)), make([]bool, len(gs))
	if len(gs) > 0 {
		if err := c.gens.CaptureLate(c.brief.Context(ctx), gs, begun, values, ok); err != nil {
			c.stats.l2Errors.Add(1)
			return storable
		}
	}
	i := 0
	for j, got := range gots {
		t := ts[j]
		if storable[j] = got.bad == nil; got.bad != nil {
			c.opts.Logger.Warn("larder: a loaded value is not cached", "namespace", c.opts.Namespace, "error", got.bad)
		}
		if len(got.tags) > 0 {
			t.tags, t.tagNames = slices.Clip(t.tags), slices.Clip(t.tagNames)
		}
		for _, name := range got.tags {
			t.tagNames = append(t.tagNames, name)
			t.tags = append(t.tags, l1.Stamp{Generation: gs[i], Number: values[i].Number})
			storable[j] = storable[j] && ok[i]
			i++
		}
		if len(t.tagNames) > maxTags {
			storable[j] = false
			c.opts.Logger.Warn("larder: a loaded value is not cached", "namespace", c.opts.Namespace, "error", checkTags(t.tagNames))
		}
	}
	return storable
}

// encode makes the entry of a loaded value, and tells how long it may be kept. It
// returns false where the value is not to be stored: too large, not encodable, or
// of no TTL.
func (c *Cache[K, V]) encode(t *ticket[K], got loaded[V], cost time.Duration) (raw []byte, l life, ok bool) {
	h := entry.Header{
		Schema: c.schema, ID: lease.Token(), Namespace: t.namespace.Number, Revision: got.revision,
		Cost: uint32(min(cost.Microseconds(), 1<<32-1)),
	}
	if got.negative {
		h.Flags = entry.Negative
	}
	tags := make([]entry.Tag, len(t.tags))
	for i, s := range t.tags {
		tags[i] = entry.Tag{Name: t.tagNames[i], Generation: s.Number}
	}
	raw = entry.Append(make([]byte, 0, 512), h, tags, got.Validator)
	head := len(raw)
	if !got.negative {
		var err error
		if raw, err = appendValue(c.opts.Codec, raw, got.Value); err != nil {
			c.opts.Logger.Warn("larder: a value cannot be encoded, so it is not cached", "namespace", c.opts.Namespace)
			return nil, life{}, false
		}
	}
	size := len(raw) - head
	if size > c.opts.MaxValueBytes {
		c.stats.oversize.Add(1)
		return nil, life{}, false
	}
	l = c.lifeOf(t, got, size, cost)
	return raw, l, l.fresh > 0
}
