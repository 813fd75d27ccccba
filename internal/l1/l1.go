// Package l1 holds decoded values in the process, bounded by weight, on otter.
//
// An entry may be inserted only by a reader that noted the key's [Mark] before
// it asked Redis, and only if nothing has happened to the key since: a push, a
// write of this process, or the loss of the connection would otherwise be undone
// by an answer that was already on its way.
package l1

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/larder-go/larder/conn"
)

// stripes is how many sequences there are; keys share them by hash. A shared one
// costs a needless refusal at worst.
const stripes = 256

// overhead is what an entry costs besides its payload, roughly.
const overhead = 256

// Mark is the state of a key before its value was asked for.
type Mark struct {
	// Void refuses every insert: the answer will not be covered by pushes.
	Void bool
	// Until, unless zero, is when what is inserted ends at the latest, on the
	// cache's coarse clock: pushes that cover the answer may be lost.
	Until int64

	stripe int
	seq    uint64
	epoch  *conn.Epoch
	number uint64
}

// Store is the L1 of one cache. A nil Store holds nothing.
type Store[K comparable, V any] struct {
	cache   *otter.Cache[K, *Entry[V]]
	seed    maphash.Seed
	stripes [stripes]stripe
	covers  covers
	evicted atomic.Uint64
	closed  atomic.Bool
}

type stripe struct {
	mu  sync.Mutex // protects seq, and orders inserts after drops
	seq uint64
	_   [48]byte
}

// New makes a store of at most maxBytes.
func New[K comparable, V any](maxBytes uint64) (*Store[K, V], error) {
	s := &Store[K, V]{seed: maphash.MakeSeed()}
	var err error
	s.cache, err = otter.New(&otter.Options[K, *Entry[V]]{
		MaximumWeight: maxBytes,
		Weigher:       func(_ K, e *Entry[V]) uint32 { return min(e.Size, 1<<31) + overhead },
		// A recorder of otter's would count every hit too.
		OnAtomicDeletion: func(e otter.DeletionEvent[K, *Entry[V]]) {
			if e.WasEvicted() {
				s.evicted.Add(1)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Get returns the entry of a key, if there is one, whatever its state.
func (s *Store[K, V]) Get(key K) (*Entry[V], bool) {
	if s == nil {
		return nil, false
	}
	return s.cache.GetIfPresent(key)
}

// Mark notes the state of a key, to be handed to Insert. epoch is that of the
// connection which will be asked, nil where there is none.
func (s *Store[K, V]) Mark(key K, epoch *conn.Epoch) Mark {
	if s == nil {
		return Mark{}
	}
	m := Mark{stripe: s.stripe(key), epoch: epoch}
	if epoch != nil {
		m.number = epoch.Load()
	}
	st := &s.stripes[m.stripe]
	st.mu.Lock()
	m.seq = st.seq
	st.mu.Unlock()
	return m
}

// Insert puts an entry in, unless something happened to the key since the mark,
// and tells whether it did.
func (s *Store[K, V]) Insert(key K, e *Entry[V], m Mark) bool {
	if s == nil || m.Void {
		return false
	}
	if m.Until != 0 {
		e.HotUntil, e.FreshUntil, e.StaleUntil = min(e.HotUntil, m.Until), min(e.FreshUntil, m.Until), min(e.StaleUntil, m.Until)
	}
	st := &s.stripes[m.stripe]
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.seq != m.seq || m.epoch != nil && m.epoch.Load() != m.number {
		return false
	}
	e.cover = s.covers.get(cover{m.epoch, m.number, e.cover.namespace, e.cover.alone})
	s.putLocked(key, e)
	return true
}

// Put puts an entry in unconditionally: for a cache without Redis, whose flights
// know themselves whether they have been overtaken.
func (s *Store[K, V]) Put(key K, e *Entry[V]) {
	if s == nil {
		return
	}
	st := &s.stripes[s.stripe(key)]
	st.mu.Lock()
	defer st.mu.Unlock()
	e.cover = s.covers.get(cover{namespace: e.cover.namespace})
	s.putLocked(key, e)
}

// putLocked keeps what is there already if it was loaded later: answers of Redis
// may overtake each other.
func (s *Store[K, V]) putLocked(key K, e *Entry[V]) {
	if s.closed.Load() {
		return
	}
	if old, ok := s.cache.GetEntryQuietly(key); ok && old.Value.LoadedAt > e.LoadedAt && old.Value.Covered(0) {
		return
	}
	s.cache.Set(key, e)
}

// Drop removes a key and refuses what was asked for before.
func (s *Store[K, V]) Drop(key K) {
	if s == nil {
		return
	}
	st := &s.stripes[s.stripe(key)]
	st.mu.Lock()
	defer st.mu.Unlock()
	st.seq++
	s.cache.Invalidate(key)
}

// DropAll is Drop for every key.
func (s *Store[K, V]) DropAll() { s.DropIf(func(K) bool { return true }) }

// DropIf is Drop for the keys that match.
func (s *Store[K, V]) DropIf(match func(K) bool) {
	if s == nil {
		return
	}
	for i := range s.stripes {
		s.stripes[i].mu.Lock()
		s.stripes[i].seq++
		s.stripes[i].mu.Unlock()
	}
	// What is inserted from here on was asked for after the sequences moved.
	for key := range s.cache.Keys() {
		if match(key) {
			s.cache.Invalidate(key)
		}
	}
}

// Shorten ends the entries of keys at a moment of the cache's clock, where they do
// not end before.
func (s *Store[K, V]) Shorten(until func(key K) int64) {
	for key := range s.cache.Keys() {
		st := &s.stripes[s.stripe(key)]
		st.mu.Lock()
		if old, ok := s.cache.GetEntryQuietly(key); ok && !s.closed.Load() {
			e, end := *old.Value, until(key)
			e.HotUntil, e.FreshUntil, e.StaleUntil = min(e.HotUntil, end), min(e.FreshUntil, end), min(e.StaleUntil, end)
			s.cache.Set(key, &e)
		}
		st.mu.Unlock()
	}
}

// Len and Bytes tell how much is held.
func (s *Store[K, V]) Len() int {
	if s == nil {
		return 0
	}
	return s.cache.EstimatedSize()
}

// Bytes is the weight of what is held, with a share of bookkeeping per entry.
func (s *Store[K, V]) Bytes() uint64 {
	if s == nil {
		return 0
	}
	return s.cache.WeightedSize()
}

// Evictions is how many entries gave way to others.
func (s *Store[K, V]) Evictions() uint64 {
	if s == nil {
		return 0
	}
	return s.evicted.Load()
}

// Close ends the goroutines of the store and lets go of its entries.
func (s *Store[K, V]) Close() {
	if s == nil {
		return
	}
	s.closed.Store(true)
	for i := range s.stripes { // who has looked at closed before has put
		s.stripes[i].mu.Lock()
		s.stripes[i].mu.Unlock() //nolint:staticcheck // a barrier
	}
	s.cache.InvalidateAll()
	s.cache.StopAllGoroutines()
}

func (s *Store[K, V]) stripe(key K) int {
	return int(maphash.Comparable(s.seed, key) % stripes)
}
