package larder

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/l1"
)

// read gets the entry of a key from Redis; "" means that there is none, or that
// Redis is down.
func (c *Cache[K, V]) read(ctx context.Context, rk string) (raw string, down bool) {
	ctx, end := c.operate(c.brief.Context(ctx), verbRead, 1)
	v, err := c.l2.Do(ctx, conn.Key("GET", rk))
	end(err)
	if err != nil {
		c.stats.l2Errors.Add(1)
		return "", true
	}
	return v.Str, false
}

// open turns the bytes of an entry into an answer, if it is one: understood, not
// expired, and of the current generations. It is put into L1 if the mark stands.
func (c *Cache[K, V]) open(ctx context.Context, key K, rk, raw string, asked asked) found[V] {
	e, err := entry.Parse(raw)
	if err != nil {
		return c.corrupt(raw, err)
	}
	// A script that returns an entry has compared the lives itself.
	if life, known := c.c.Incarnation(rk); !asked.mark.Void && (!known || life != e.Incarnation) {
		c.stats.rejectedIncarnation.Add(1)
		return found[V]{why: missIncarnation}
	}
	now := c.server.now(c.brief.Context(ctx), c.c)
	if e.Flags&entry.Placeholder != 0 || e.StaleUntil <= now {
		return found[V]{why: emptyOf(e, now)}
	}
	if e.Schema != c.schema {
		c.stats.rejectedSchema.Add(1)
		return found[V]{rejected: entry.RawID(raw), why: missSchema}
	}
	if c.isPending(rk, e) || c.pending.Passed(asked.pending) {
		return found[V]{rejected: entry.RawID(raw), why: missPending}
	}
	namespace, tags := c.stampsOf(e)
	freshUntil := e.FreshUntil
	if why, ok := c.areCurrent(ctx, rk, &namespace, tags, &e); !ok {
		return c.outdated(ctx, rk, namespace, e, why, entry.RawID(raw))
	}
	hit := found[V]{ok: true, loadedAt: e.LoadedAt, freshUntil: freshUntil, stale: e.FreshUntil <= now, negative: e.Flags&entry.Negative != 0}
	l := life{
		loadedAt: e.LoadedAt, size: len(e.Payload) + c.keySize(key),
		fresh: time.Duration(e.FreshUntil-now) * time.Millisecond,
		stale: time.Duration(e.StaleUntil-now) * time.Millisecond,
	}
	l.hot = l.fresh - c.window(time.Duration(e.Cost)*time.Microsecond)
	hit.ahead, hit.due = drawAhead(l.fresh, l.fresh-l.hot), l.hot <= 0
	if !hit.negative {
		if hit.value, err = decodeValue(c.opts.Codec, e.Payload); err != nil {
			return c.corrupt(raw, err)
		}
	}
	if c.l1 != nil && !asked.mark.Void {
		c.l1.Insert(key, c.l1Entry(hit.value, hit.negative, l, namespace, tags), asked.mark)
	}
	return hit
}

// outdated counts an entry that was loaded under other generations.
func (c *Cache[K, V]) outdated(
	ctx context.Context, rk string, namespace l1.Stamp, e entry.Entry, why reason, id string,
) found[V] {
	switch why {
	case missTag:
		c.stats.rejectedTag.Add(1)
	case missGeneration:
		c.stats.rejectedNamespace.Add(1)
	}
	miss := found[V]{rejected: id, why: why}
	if c.opts.LoadItem != nil {
		// Else Clear may have been meant for this value.
		if _, ok := c.areCurrent(ctx, rk, &namespace, nil, nil); ok {
			miss.old = c.oldOf(e)
		}
	}
	return miss
}

// isPending tells whether an invalidation of the entry waits to be delivered.
func (c *Cache[K, V]) isPending(rk string, e entry.Entry) bool {
	if c.pending.Len() == 0 {
		return false
	}
	keys := []string{rk, c.nsKey}
	e.Tags(func(t entry.Tag) bool {
		keys = append(keys, generation.TagKey(t.Name))
		return true
	})
	return c.pending.Blocks(keys...)
}

func (c *Cache[K, V]) corrupt(raw string, err error) found[V] {
	c.stats.corrupt.Add(1)
	c.opts.Logger.Warn("larder: unreadable cache entry, treated as a miss",
		"namespace", c.opts.Namespace, "bytes", len(raw), "error", safeError(err))
	return found[V]{rejected: entry.RawID(raw), why: missCorrupt}
}

// safeError keeps what a codec may quote of a value out of the log.
func safeError(err error) string {
	if errors.Is(err, entry.ErrCorrupt) {
		return err.Error()
	}
	return "the codec could not decode it"
}

// life is how long a value may be kept, from now on.
type life struct {
	loadedAt          int64
	hot, fresh, stale time.Duration // hot: without a refresh ahead of time
	size              int
}

// l1Entry makes the L1 form of a value.
func (c *Cache[K, V]) l1Entry(value V, negative bool, l life, namespace l1.Stamp, tags []l1.Stamp) *l1.Entry[V] {
	now := c.clock.Sync()
	e := &l1.Entry[V]{
		Value: value, Negative: negative, Size: uint32(min(l.size, 1<<32-1)), LoadedAt: l.loadedAt,
		HotUntil:   now + int64(min(l.hot, c.opts.L1TTL)),
		FreshUntil: now + int64(min(l.fresh, c.opts.L1TTL)),
		StaleUntil: now + int64(min(l.stale, c.opts.L1TTL)),
	}
	e.Stamp(namespace, tags)
	return e
}

func (c *Cache[K, V]) keySize(key K) int {
	var buf [128]byte
	return len(c.keys.Append(buf[:0], key))
}

// stampsOf resolves the generations that an entry names.
func (c *Cache[K, V]) stampsOf(e entry.Entry) (namespace l1.Stamp, tags []l1.Stamp) {
	namespace = l1.Stamp{Generation: c.gens.Get(c.nsKey), Number: e.Namespace}
	e.Tags(func(t entry.Tag) bool {
		tags = append(tags, l1.Stamp{Generation: c.gens.Get(generation.TagKey(t.Name)), Number: t.Generation})
		return true
	})
	return namespace, tags
}

// keysOf returns the Redis keys of stamps.
func keysOf(namespace l1.Stamp, tags []l1.Stamp) []string {
	keys := []string{namespace.Generation.Key()}
	for _, s := range tags {
		keys = append(keys, s.Generation.Key())
	}
	return keys
}

// areCurrent tells whether generations are the current ones, or else why not. What
// this process does not know it asks Redis; what it knows differently too, since its
// knowledge may be older than the entry.
//
// Where the namespace is being cleared little by little, an entry of the generation
// before counts for a while. The stamp then becomes that of the present one, and
// the times of e, if there is one, are cut.
func (c *Cache[K, V]) areCurrent(
	ctx context.Context, rk string, namespace *l1.Stamp, tags []l1.Stamp, e *entry.Entry,
) (why reason, current bool) {
	since := conn.Uptime() - c.opts.StalenessBound
	v, known := namespace.Generation.Current(since)
	why = missGeneration
	current = known && c.admit(v, rk, namespace, e)
	for i := 0; current && i < len(tags); i++ {
		why, current = missTag, tags[i].Current(since)
	}
	if current || c.c == nil {
		return why, current
	}
	stamps := append(slices.Clip(tags), *namespace)
	gs, values := make([]*generation.Generation, len(stamps)), make([]generation.Value, len(stamps))
	for i, s := range stamps {
		gs[i] = s.Generation
		if v, known := s.Generation.Current(since); known && v.Number != s.Number {
			s.Generation.Forget()
		}
	}
	ctx = c.brief.Context(ctx)
	if err := c.gens.Read(ctx, gs, values); err != nil {
		c.stats.l2Errors.Add(1)
		return missUnreachable, false
	}
	for i, s := range tags {
		if values[i].Number == 0 || values[i].Number != s.Number {
			return missTag, false
		}
	}
	return missGeneration, c.admit(values[len(tags)], rk, namespace, e)
}

// admit tells whether what was loaded under the namespace's generation of a stamp
// counts now that it is v.
func (c *Cache[K, V]) admit(v generation.Value, rk string, namespace *l1.Stamp, e *entry.Entry) bool {
	if v.Number == namespace.Number {
		return v.Number != 0
	}
	until, ok := v.Admits(namespace.Number, rk, time.Now().UnixMilli()+c.server.offset.Load())
	if !ok {
		return false
	}
	namespace.Number = v.Number
	if e != nil {
		e.FreshUntil, e.StaleUntil = min(e.FreshUntil, until), min(e.StaleUntil, until)
	}
	return true
}
