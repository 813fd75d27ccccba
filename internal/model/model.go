package model

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// Model holds the data. Its clients are made by Connect.
type Model struct {
	// Unfenced stores what a load brings whether or not its lease still stands: for
	// tests of tests. Set it before the first call.
	Unfenced bool

	life string // the incarnation, 8 bytes

	mu      sync.Mutex // protects the following
	keys    map[string]item
	clients []*Conn
	pushes  []push // of the present call
}

// item is the value of a key, and when it ends, in Unix milliseconds; 0 for never.
type item struct {
	value string
	until int64
}

// push is that a key has changed, for all who track it.
type push struct {
	key string
	to  []*Conn
}

// New makes an empty Redis that has this incarnation.
func New(incarnation uint64) *Model {
	return &Model{life: word(incarnation), keys: map[string]item{}}
}

// Raw is what stands under a key, and for how long still, in ms: as PTTL says it.
func (m *Model) Raw(key string) (value string, ttl int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok := m.getLocked(key)
	return it.value, m.ttlLocked(it, ok)
}

// Keys are those that are there.
func (m *Model) Keys() (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.keys {
		if _, ok := m.getLocked(key); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *Model) ttlLocked(it item, ok bool) int64 {
	switch {
	case !ok:
		return -2
	case it.until == 0:
		return -1
	}
	return it.until - clock()
}

func clock() int64 { return time.Now().UnixMilli() }

func (m *Model) getLocked(key string) (item, bool) {
	it, ok := m.keys[key]
	if ok && it.until != 0 && it.until <= clock() {
		delete(m.keys, key)
		m.changedLocked(key)
		return item{}, false
	}
	return it, ok
}

// setLocked writes a key; an end that has passed deletes it.
func (m *Model) setLocked(key, value string, until int64) {
	m.changedLocked(key)
	if until != 0 && until <= clock() {
		delete(m.keys, key)
		return
	}
	m.keys[key] = item{value, until}
}

// patchLocked overwrites part of a value, as SETRANGE does.
func (m *Model) patchLocked(key string, at int, part string) {
	it := m.keys[key]
	b := []byte(it.value)
	for len(b) < at+len(part) {
		b = append(b, 0)
	}
	copy(b[at:], part)
	m.setLocked(key, string(b), it.until)
}

// expireLocked sets when a key ends.
func (m *Model) expireLocked(key string, until int64) {
	if it, ok := m.getLocked(key); ok {
		m.setLocked(key, it.value, until)
	}
}

// deleteLocked tells whether there was a key.
func (m *Model) deleteLocked(key string) bool {
	_, ok := m.getLocked(key)
	if ok {
		m.changedLocked(key)
		delete(m.keys, key)
	}
	return ok
}

// changedLocked remembers whom to tell.
func (m *Model) changedLocked(key string) {
	p := push{key: key}
	for _, c := range m.clients {
		if c.tracked[key] {
			delete(c.tracked, key)
			p.to = append(p.to, c)
		}
	}
	if p.to != nil {
		m.pushes = append(m.pushes, p)
	}
}

// do runs one call atomically, then delivers what is to be pushed.
func (m *Model) do(fn func() conn.Value) conn.Value {
	m.mu.Lock()
	v := fn()
	pushes := m.pushes
	m.pushes = nil
	m.mu.Unlock()
	for _, p := range pushes {
		for _, c := range p.to {
			c.notify([]string{p.key})
		}
	}
	return v
}

// The scripts' numbers: 8 bytes, big-endian.

func word(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}

func be(n int64) string { return word(uint64(n)) }

// num reads the word that begins at byte i.
func num(s string, i int) int64 { return int64(binary.BigEndian.Uint64([]byte(s[i : i+8]))) }
