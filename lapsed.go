package larder

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// lapsedSlots is how many keys that have expired are remembered at most; a later one
// takes the place of one that shares its slot.
const lapsedSlots = 1024

// lapsed remembers which keys of L1 have expired. Redis pushes an expiry like any other
// change, so L1 and Redis are both empty after it, and a miss would look as if the key
// had never been there.
type lapsed[K comparable] struct {
	seed  maphash.Seed
	slots [lapsedSlots]atomic.Uint64 // hashes
}

func newLapsed[K comparable]() *lapsed[K] { return &lapsed[K]{seed: maphash.MakeSeed()} }

// note takes down whether it was its expiry that took a key away.
func (l *lapsed[K]) note(key K, expired bool) {
	h := maphash.Comparable(l.seed, key)
	slot := &l.slots[h%lapsedSlots]
	switch {
	case expired:
		slot.Store(h)
	case slot.Load() == h:
		slot.Store(0)
	}
}

// has tells whether the last that was heard of a key is that it has expired.
func (l *lapsed[K]) has(key K) bool {
	h := maphash.Comparable(l.seed, key)
	return l.slots[h%lapsedSlots].Load() == h
}

// gone tells whether a push that a key has changed can be that of its expiry: what L1
// holds has come to its end.
func (c *Cache[K, V]) gone(key K) bool {
	e, ok := c.l1.Peek(key)
	// Redis' clock and ours tick apart, by the resolution of both.
	return ok && e.StaleUntil <= c.clock.Now()+int64(50*time.Millisecond)
}
