package ratelimit

import (
	"context"
	"hash/maphash"
	"math"
	"sync"
)

// shards is a power of two.
const shards = 16

// memory is the store of counters of one process. It keeps the keys that Redis
// would keep, with their values and expiries, and does to them what the scripts do.
type memory struct {
	names
	limit func() int64 // in force
	seed  maphash.Seed
	shard [shards]shard
}

type shard struct {
	mu    sync.Mutex // protects cells
	cells map[string]cell
	max   int
}

// cell is what one key holds: a count, tokens with the time of their last refill,
// or a theoretical arrival time; and the Unix ms at which it expires.
type cell struct {
	n, at   int64
	expires int64
}

func newMemory(prefix string, a Algorithm, most int, limit func() int64) *memory {
	m := &memory{names: newNames(prefix, a), limit: limit, seed: maphash.MakeSeed()}
	for i := range m.shard {
		m.shard[i].cells = map[string]cell{}
		m.shard[i].max = max(most/shards, 4) // a few, so that a window finds its previous one
	}
	return m
}

// of returns the shard of all keys of an identifier.
func (m *memory) of(id string) *shard { return &m.shard[maphash.String(m.seed, id)%shards] }

func (m *memory) decide(_ context.Context, q *query) (reply, error) {
	s := m.of(q.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.applyLocked(s, q, q.now), nil
}

// forget is what Reset does.
func (m *memory) forget(q *query) {
	s := m.of(q.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range m.all(q.id, q.now) {
		delete(s.cells, key)
	}
}

// peek returns the reply to a request that changes nothing.
func (m *memory) peek(q *query) reply {
	s := m.of(q.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	a, limit := m.algorithm, m.limit()
	current, _ := s.getLocked(m.current(q.id, q.now), q.now)
	switch a.kind {
	case slidingWindow:
		previous, _ := s.getLocked(m.names.window(q.id, a.bucket(q.now)-1), q.now)
		return a.present(limit, current, previous.n, q.now)
	default:
		return a.present(limit, current, 0, q.now)
	}
}

// applyLocked is the twin of the scripts. Keys expire by clock, which is now but in
// tests, where a server's clock and the caller's differ.
func (m *memory) applyLocked(s *shard, q *query, clock int64) reply {
	a, limit := m.algorithm, m.limit()
	key := m.current(q.id, q.now)
	c, there := s.getLocked(key, clock)
	var r reply
	keep := false
	switch a.kind {
	case fixedWindow, cachedWindow:
		c, r, keep = a.fixed(c, limit, q, clock)
	case slidingWindow:
		previous, _ := s.getLocked(m.names.window(q.id, a.bucket(q.now)-1), clock)
		c, r, keep = a.sliding(c, previous.n, limit, q, clock)
	case tokenBucket:
		c, r, keep = a.tokens(c, there, limit, q, clock)
	case gcra:
		c, r, keep = a.rate(c, limit, q, clock)
		if keep && c.n <= q.now*1000 {
			delete(s.cells, key)
			return r
		}
	}
	if keep {
		s.setLocked(key, c, clock)
	}
	return r
}

func (a Algorithm) fixed(c cell, limit int64, q *query, clock int64) (cell, reply, bool) {
	used := c.n + q.cost
	if used > limit && (q.cost > limit || c.n != 0 && c.n < limit) {
		return c, reply{refused, limit, c.n, 0}, false
	}
	if c.n == 0 {
		c.expires = clock + a.windowMillis()
	}
	c.n = used
	return c, reply{verdict(used <= limit), limit, used, 0}, true
}

func (a Algorithm) sliding(c cell, previous, limit int64, q *query, clock int64) (cell, reply, bool) {
	w := weighted(previous, q.now, a.windowMillis())
	if q.cost > 0 && w+c.n+q.cost > limit {
		return c, reply{refused, limit, c.n, previous}, false
	}
	c.n += q.cost
	if c.n == q.cost {
		c.expires = clock + 2*a.windowMillis() + 1000
	}
	if w+c.n > limit {
		return c, reply{refused, limit, c.n, previous}, true
	}
	return c, reply{granted, limit, w + c.n, 0}, true
}

func (a Algorithm) tokens(c cell, there bool, limit int64, q *query, clock int64) (cell, reply, bool) {
	if !there {
		c.n, c.at = limit, q.now
	}
	c = a.refilled(c, limit, q.now)
	if q.cost > 0 && c.n < q.cost {
		return c, reply{refused, limit, c.n, c.at}, false
	}
	c.n -= q.cost
	life := maxWindow.Milliseconds()
	if steps := max(ceilDiv(limit-c.n, a.extra), 1); steps <= life/a.windowMillis() {
		life = steps * a.windowMillis()
	}
	c.expires = clock + life
	return c, reply{verdict(c.n >= 0), limit, c.n, c.at}, true
}

// refilled adds the tokens that have come since the last refill.
func (a Algorithm) refilled(c cell, limit, now int64) cell {
	interval := a.windowMillis()
	if now < c.at+interval {
		return c
	}
	n := (now - c.at) / interval
	if missing := limit - c.n; missing <= 0 || n >= ceilDiv(missing, a.extra) {
		c.n = limit
	} else {
		c.n += n * a.extra
	}
	c.at += n * interval
	return c
}

func (a Algorithm) rate(c cell, limit int64, q *query, clock int64) (cell, reply, bool) {
	now := q.now * 1000
	arrival := max(c.n, now)
	if limit < 1 {
		return c, reply{refused, limit, arrival, 0}, false
	}
	step := a.step(limit)
	full := now + a.extra*step
	after := max(arrival+q.cost*step, now)
	if q.cost > 0 && after > full {
		return c, reply{refused, limit, arrival, 0}, false
	}
	c.n, c.expires = after, clock+ceilDiv(after-now, 1000)
	return c, reply{verdict(after <= full), limit, after, 0}, true
}

// present is the reply to a request of cost 0 that writes nothing.
func (a Algorithm) present(limit int64, current cell, previous, now int64) reply {
	switch a.kind {
	case slidingWindow:
		left := limit - current.n - weighted(previous, now, a.windowMillis())
		return reply{verdict(left > 0), limit, current.n, previous}
	case tokenBucket:
		if current == (cell{}) {
			current = cell{n: limit, at: now}
		}
		c := a.refilled(current, limit, now)
		return reply{verdict(c.n > 0), limit, c.n, c.at}
	case gcra:
		arrival := max(current.n, now*1000)
		if limit < 1 {
			return reply{refused, limit, arrival, 0}
		}
		return reply{verdict(arrival+a.step(limit) <= now*1000+a.extra*a.step(limit)), limit, arrival, 0}
	}
	return reply{verdict(current.n < limit), limit, current.n, 0}
}

func verdict(allowed bool) int {
	if allowed {
		return granted
	}
	return refused
}

func (s *shard) getLocked(key string, clock int64) (cell, bool) {
	c, ok := s.cells[key]
	if !ok || c.expires <= clock {
		return cell{}, false
	}
	return c, true
}

func (s *shard) setLocked(key string, c cell, clock int64) {
	if _, ok := s.cells[key]; !ok && len(s.cells) >= s.max {
		s.makeRoomLocked(clock)
	}
	s.cells[key] = c
}

// makeRoomLocked forgets what has expired of a sample of the cells, and if nothing
// has, the one of them that expires first.
func (s *shard) makeRoomLocked(clock int64) {
	const sample = 32
	var victim string
	soonest := int64(math.MaxInt64)
	seen, expired := 0, false
	for key, c := range s.cells {
		if c.expires <= clock {
			delete(s.cells, key)
			expired = true
		} else if c.expires < soonest {
			victim, soonest = key, c.expires
		}
		if seen++; seen == sample {
			break
		}
	}
	if !expired {
		delete(s.cells, victim)
	}
}
