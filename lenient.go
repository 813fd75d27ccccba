package larder

import (
	"time"

	"github.com/larder-go/larder/internal/coarse"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/l1"
)

// alone is what a load without Redis begins under, in a lenient cache.
type alone struct {
	mark      l1.Mark
	begun     time.Time
	namespace l1.Stamp
	tags      []l1.Stamp
}

// beginAlone notes the state before a load without Redis; nil where its value will
// not be kept.
func (c *Cache[K, V]) beginAlone(t *ticket[K]) *alone {
	if !c.opts.Lenient || c.c == nil || c.l1 == nil {
		return nil
	}
	a := &alone{mark: c.mark(t.key, t.rk), begun: time.Now(), namespace: c.seqOf(c.nsKey)}
	for _, name := range t.tagNames {
		a.tags = append(a.tags, c.seqOf(generation.TagKey(name)))
	}
	return a
}

func (c *Cache[K, V]) seqOf(key string) l1.Stamp {
	g := c.gens.Get(key)
	return l1.Stamp{Generation: g, Number: g.Seq()}
}

// keepAlone keeps what such a load brought for what is left of StalenessBound.
// Tags that only the value knows may have been invalidated meanwhile, so it must
// not have any.
func (c *Cache[K, V]) keepAlone(t *ticket[K], a *alone, got loaded[V]) {
	if a == nil || len(got.tags) > 0 {
		return
	}
	_, l, ok := c.encode(t, got, 0)
	left := c.opts.StalenessBound - time.Since(a.begun) - coarse.Resolution // by which the clock of L1 is behind
	if !ok || left <= 0 {
		return
	}
	l.fresh = min(l.fresh, left)
	l.hot, l.stale, l.loadedAt = l.fresh, l.fresh, 0
	e := c.l1Entry(got.Value, got.negative, l, a.namespace, a.tags)
	e.StampAlone(a.namespace, a.tags)
	c.l1.Insert(t.key, e, a.mark)
}
