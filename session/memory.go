package session

import (
	"container/list"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// memory remembers sessions for Options.ServeStale. An entry is of no use once a
// push, or a write of this process, has touched a key of its place.
type memory struct {
	bound time.Duration
	most  int

	mu      sync.Mutex // protects the following
	entries map[string]*list.Element
	order   list.List // of *remembered, that which was read last in front
	changes [4096]uint64
}

// remembered is one session, encoded.
type remembered struct {
	key, raw string
	read     time.Duration // uptime before it was read
	ends     time.Duration // uptime at which Redis forgets it
	stripe   int
	change   uint64
}

func newMemory(o Options) *memory {
	if o.ServeStale == 0 {
		return nil
	}
	return &memory{bound: o.ServeStale, most: o.MaxStale, entries: map[string]*list.Element{}}
}

var seed = maphash.MakeSeed()

func stripeOf(p place) int { return int(maphash.String(seed, string(p)) % 4096) }

// mark is taken before a read; what was read is served only if nothing has changed
// since.
type mark struct {
	at     time.Duration
	change uint64
}

func (m *memory) mark(a address) mark {
	if m == nil {
		return mark{}
	}
	at, stripe := conn.Uptime(), stripeOf(a.place)
	m.mu.Lock()
	defer m.mu.Unlock()
	return mark{at, m.changes[stripe]}
}

// put remembers what was read; Redis keeps it for left.
func (m *memory) put(a address, raw string, since mark, left time.Duration) {
	if m == nil {
		return
	}
	stripe := stripeOf(a.place)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeLocked(a.session)
	r := &remembered{key: a.session, raw: raw, read: since.at, ends: since.at + left, stripe: stripe, change: since.change}
	m.entries[a.session] = m.order.PushFront(r)
	for m.order.Len() > m.most {
		m.removeLocked(m.order.Back().Value.(*remembered).key)
	}
}

// get returns what may still be served.
func (m *memory) get(a address) (raw string, ok bool) {
	if m == nil {
		return "", false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[a.session]
	if !ok {
		return "", false
	}
	r, now := e.Value.(*remembered), conn.Uptime()
	if m.changes[r.stripe] != r.change || now-r.read >= m.bound || now >= r.ends {
		m.removeLocked(a.session)
		return "", false
	}
	return r.raw, true
}

// changed forgets all sessions of a place.
func (m *memory) changed(p place) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes[stripeOf(p)]++
}

// pushed is told of the keys that have changed in Redis. A flush is not a logout
// that anybody asked for, and a lost connection is what the memory is for, but
// what changed meanwhile is not known: the bound holds.
func (m *memory) pushed(namespace string, keys []string) {
	prefix := namespace + ":{"
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if p, _, ok := strings.Cut(rest, "}"); ok {
			m.changed(place(p))
		}
	}
}

func (m *memory) removeLocked(key string) {
	if e, ok := m.entries[key]; ok {
		m.order.Remove(e)
		delete(m.entries, key)
	}
}
