package ratelimit

import (
	"hash/maphash"
	"sync"
)

// block says that requests of a cost, and dearer ones, are refused until a moment.
type block struct {
	until int64 // Unix ms
	cost  int64
	// What decisions say meanwhile; retry and reset are Unix ms.
	limit, retry, reset int64
}

// blocks remembers what was refused. It is bounded: what does not fit is refused by
// Redis instead.
type blocks struct {
	seed  maphash.Seed
	shard [shards]blockShard
}

type blockShard struct {
	mu  sync.RWMutex // protects m
	m   map[string]block
	max int
}

func newBlocks(most int) *blocks {
	b := &blocks{seed: maphash.MakeSeed()}
	for i := range b.shard {
		b.shard[i].m = map[string]block{}
		b.shard[i].max = (most + shards - 1) / shards
	}
	return b
}

func (b *blocks) of(key string) *blockShard {
	return &b.shard[maphash.String(b.seed, key)%shards]
}

// get returns the block of key if it stands at now for a cost.
func (b *blocks) get(key string, cost, now int64) (block, bool) {
	s := b.of(key)
	s.mu.RLock()
	e, ok := s.m[key]
	s.mu.RUnlock()
	return e, ok && now < e.until && cost >= e.cost
}

// set remembers e. A cheaper block that still stands says more, and stays.
func (b *blocks) set(key string, e block, now int64) {
	s := b.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.m[key]
	if ok && now < old.until && old.cost <= e.cost && old.until >= e.until {
		return
	}
	if !ok && len(s.m) >= s.max {
		s.makeRoomLocked(now)
	}
	s.m[key] = e
}

func (s *blockShard) makeRoomLocked(now int64) {
	const sample = 16
	seen, removed := 0, false
	var last string
	for key, e := range s.m {
		if last = key; now >= e.until {
			delete(s.m, key)
			removed = true
		}
		if seen++; seen == sample {
			break
		}
	}
	if !removed {
		delete(s.m, last)
	}
}

func (b *blocks) remove(key string) {
	s := b.of(key)
	s.mu.Lock()
	delete(s.m, key)
	s.mu.Unlock()
}

func (b *blocks) clear() {
	for i := range b.shard {
		s := &b.shard[i]
		s.mu.Lock()
		clear(s.m)
		s.mu.Unlock()
	}
}
