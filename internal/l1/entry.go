package l1

import (
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
)

// Entry is one value. It is immutable once inserted, and small: with a Value of
// one word it fills one cache line, and reading it is most of what a hit costs.
type Entry[V any] struct {
	// HotUntil, FreshUntil and StaleUntil are deadlines on the cache's coarse clock.
	// HotUntil is the first: a hit before it needs nothing else, one between it and
	// FreshUntil is to begin a refresh ahead of time.
	HotUntil, FreshUntil, StaleUntil int64

	cover *cover
	tags  *[]Stamp // nil where there are none

	// LoadedAt is when the load began, by the clock of whoever keeps the value.
	LoadedAt int64
	// Size is that of the encoded value, saturating.
	Size uint32
	// Negative says that there is no value.
	Negative bool
	Value    V
}

// Stamp is a generation with the number that an entry was loaded under.
type Stamp struct {
	Generation *generation.Generation
	Number     uint64
}

// Current tells whether the generation is known to have this number still, by a
// connection that was heard of since then.
func (s Stamp) Current(since time.Duration) bool { return s.Generation.Is(s.Number, since) }

// heardOfNothing tells whether the generation, whose Seq the number is, was not taken
// back.
func (s Stamp) heardOfNothing() bool { return s.Generation.Seq() == s.Number }

// cover is what all entries of one connection's life and one generation of the
// namespace depend on. They share it, so a hit finds it in the processor's cache.
type cover struct {
	epoch       *conn.Epoch // nil without Redis
	epochNumber uint64
	namespace   Stamp
	alone       bool // see StampAlone
}

// Stamp sets the generations that the entry depends on.
func (e *Entry[V]) Stamp(namespace Stamp, tags []Stamp) {
	e.cover = &cover{namespace: namespace}
	if len(tags) > 0 {
		e.tags = &tags
	}
}

// StampAlone is Stamp for a value that was loaded while Redis did not answer. The
// numbers are those of [generation.Generation.Seq]: the entry ends with the first
// thing that this process hears of any of them, and with the connection.
func (e *Entry[V]) StampAlone(namespace Stamp, tags []Stamp) {
	e.Stamp(namespace, tags)
	e.cover.alone = true
}

// Covered tells whether the entry still counts: the connection that vouches for
// it lives and was heard of since a moment of conn.Uptime, and all its
// generations are known to be current.
func (e *Entry[V]) Covered(since time.Duration) bool {
	c := e.cover
	if c.alone {
		return e.coveredAlone()
	}
	if c.epoch != nil && (c.epoch.Load() != c.epochNumber || c.epoch.Heard() < since) || !c.namespace.Current(since) {
		return false
	}
	if e.tags == nil {
		return true
	}
	for _, s := range *e.tags {
		if !s.Current(since) {
			return false
		}
	}
	return true
}

func (e *Entry[V]) coveredAlone() bool {
	c := e.cover
	if c.epoch != nil && c.epoch.Load() != c.epochNumber || !c.namespace.heardOfNothing() {
		return false
	}
	if e.tags == nil {
		return true
	}
	for _, s := range *e.tags {
		if !s.heardOfNothing() {
			return false
		}
	}
	return true
}

// covers holds the covers in use, and some that no longer are.
type covers struct {
	mu sync.Mutex // protects m
	m  map[cover]*cover
}

const maxCovers = 256

func (c *covers) get(want cover) *cover {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.m[want]; have != nil {
		return have
	}
	if len(c.m) >= maxCovers || c.m == nil {
		c.m = map[cover]*cover{}
	}
	c.m[want] = &want
	return &want
}
