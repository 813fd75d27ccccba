package model

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

const (
	zero     = "\x00\x00\x00\x00\x00\x00\x00\x00"
	hold     = "\xff\xff\xff\xff\xff\xff\xff\xff"
	failed   = "\xff\xff\xff\xff\xff\xff\xff\xfe"
	maxLease = 3_600_000
	// maxWriters is how many a barrier lists; the last place is for all others.
	maxWriters = 64
	headerSize = 90
	behind     = 1000 // ms
)

// entry is what stands under an entry's key, by the offsets of docs/wire-format.md.
type entry string

func (e entry) valid() bool {
	if len(e) < headerSize || e[:2] != "L\x01" {
		return false
	}
	flags := e[2]
	return (flags < 8 || flags >= 12 && flags < 16) && flags%2 == 0 && e[3] == 0 &&
		e.fresh() <= e.stale() && uint64(e.stale()) < 9007199254740992 && uint64(e.fresh()) <= uint64(e.stale())
}

func (e entry) placeholder() bool { return e[2]/4%2 == 1 }
func (e entry) barrier() bool     { return e[2] >= 8 }
func (e entry) id() string        { return string(e[12:20]) }
func (e entry) life() string      { return string(e[20:28]) }
func (e entry) fresh() int64      { return num(string(e), 36) }
func (e entry) stale() int64      { return num(string(e), 44) }
func (e entry) token() string     { return string(e[56:64]) }
func (e entry) leased() int64     { return num(string(e), 64) }
func (e entry) revision() string  { return string(e[80:88]) }

func (e entry) tombstone(now int64) bool { return e.placeholder() && e.stale() > now }

// barred tells whether a barrier stands.
func (e entry) barred(now int64) bool {
	return e.barrier() && e.leased() > now && e.leased() <= now+maxLease
}

// tooOld tells whether a value of revision a must not be stored where b is known.
func tooOld(a, b string, tombstone bool) bool { return (a != zero || tombstone) && a < b }

func placeholder(flags byte, life string, stale int64, contended byte, token string, leased int64, revision string) string {
	return "L\x01" + string([]byte{flags}) + "\x00" + zero + zero + life + zero + zero + be(stale) +
		"\x00\x00\x00" + string([]byte{contended}) + token + be(leased) + zero + revision + "\x00\x00"
}

func filled(raw, life, loadedAt string, fresh, stale int64) string {
	at, _ := strconv.ParseInt(loadedAt, 10, 64)
	return raw[:20] + life + be(at) + be(fresh) + be(stale) + raw[52:]
}

func integer(n int64) conn.Value { return conn.Value{Kind: conn.Int, Int: n} }

func list(vs ...conn.Value) conn.Value { return conn.Value{Kind: conn.Array, Elems: vs} }

func flag(b bool) conn.Value {
	if b {
		return integer(1)
	}
	return integer(0)
}

// text is a bulk string; "" stands for Lua's false.
func text(s string) conn.Value {
	if s == "" {
		return conn.Value{Kind: conn.Nil}
	}
	return conn.Value{Kind: conn.Bulk, Str: s}
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func (m *Model) entryLocked(key string) (entry, bool) {
	it, ok := m.getLocked(key)
	e := entry(it.value)
	return e, ok && e.valid()
}

func (m *Model) acquireLocked(key string, a []string) conn.Value {
	now, token, lease, mode := clock(), a[0], number(a[1]), a[3]
	e, ok := m.entryLocked(key)
	answer := func(state int64, e string, left int64) conn.Value {
		return list(integer(state), integer(now), text(e), integer(left))
	}
	if ok && e.barred(now) {
		if mode == "set" {
			m.patchLocked(key, 55, "\x01")
		}
		return answer(3, "", e.leased()-now)
	}
	revision := zero
	if ok {
		revision = e.revision()
	}
	if mode == "set" && tooOld(a[4], revision, ok && e.tombstone(now)) {
		return answer(4, "", 0)
	}
	known := ok && e.life() == m.life
	value := known && !e.placeholder() && (mode == "ahead" || e.id() != a[2])
	fresh, stale := value && e.fresh() > now, value && e.stale() > now
	if mode != "set" {
		if fresh && (mode != "ahead" || e.fresh() > number(a[2])) {
			return answer(0, string(e), 0)
		}
		if known && e.token() != zero && e.leased() > now && e.leased()-now <= maxLease {
			left := e.leased() - now
			switch {
			case e.token() == failed:
				if mode == "wait" {
					return answer(5, "", left)
				}
			case stale:
				return answer(2, string(e), left)
			case e.token() != hold:
				return answer(2, "", left)
			}
		}
	}
	deadline := now + lease
	if stale && mode != "set" {
		m.setLocked(key, string(e[:56])+token+be(deadline)+string(e[72:]), max(e.stale(), deadline))
		return answer(1, string(e), lease)
	}
	var tombstone int64
	if ok && e.tombstone(now) {
		tombstone = e.stale()
	}
	m.setLocked(key, placeholder(4, m.life, tombstone, 0, token, deadline, revision), max(tombstone, deadline))
	return answer(1, "", lease)
}

// heldLocked is the entry, if the load with this token still holds it.
func (m *Model) heldLocked(key, token string) (entry, bool) {
	e, ok := m.entryLocked(key)
	return e, ok && !e.barrier() && e.token() == token && e.life() == m.life
}

func (m *Model) giveBackLocked(key string, e entry, now int64) {
	if e.placeholder() && !e.tombstone(now) {
		m.deleteLocked(key)
		return
	}
	m.patchLocked(key, 56, zero+zero)
	m.expireLocked(key, e.stale())
}

func (m *Model) fillLocked(key string, a []string) conn.Value {
	now := clock()
	e, ok := m.heldLocked(key, a[0])
	if !ok && m.Unfenced {
		e, ok = entry(placeholder(4, m.life, 0, 0, zero, 0, zero)), true
	}
	if !ok {
		return list(integer(0), integer(now))
	}
	if tooOld(a[1][80:88], e.revision(), e.tombstone(now)) {
		if e.placeholder() {
			m.giveBackLocked(key, e, now)
		} else {
			m.patchLocked(key, 56, hold+be(now+behind))
			m.expireLocked(key, e.stale())
		}
		return list(integer(2), integer(now))
	}
	fresh := now + number(a[3])
	stale := fresh + number(a[4])
	m.setLocked(key, filled(a[1], m.life, a[2], fresh, stale), stale)
	return list(integer(1), integer(now))
}

func (m *Model) renewLocked(key string, a []string) conn.Value {
	e, ok := m.heldLocked(key, a[0])
	if ok {
		deadline := clock() + number(a[1])
		m.patchLocked(key, 64, be(deadline))
		m.expireLocked(key, max(e.stale(), deadline))
	}
	return flag(ok)
}

func (m *Model) releaseLocked(key string, a []string) conn.Value {
	now := clock()
	e, ok := m.heldLocked(key, a[0])
	if !ok {
		return integer(0)
	}
	pause, marker := number(a[1]), number(a[2])
	switch {
	case e.placeholder() && marker == 0:
		m.giveBackLocked(key, e, now)
	case e.placeholder():
		m.patchLocked(key, 56, failed+be(now+marker))
		m.expireLocked(key, max(e.stale(), now+marker))
	case pause < 0:
		m.deleteLocked(key)
	case pause == 0:
		m.patchLocked(key, 56, zero+zero)
	default:
		m.patchLocked(key, 56, hold+be(now+pause))
		m.expireLocked(key, e.stale())
	}
	return integer(1)
}

func (m *Model) invalidateLocked(key string) conn.Value {
	if e, ok := m.entryLocked(key); ok {
		if e.barrier() {
			m.patchLocked(key, 55, "\x01")
			return integer(0)
		}
		if now := clock(); e.tombstone(now) {
			m.giveBackLocked(key, e, now)
			return integer(1)
		}
	}
	return flag(m.deleteLocked(key))
}

func (m *Model) entombLocked(key string, a []string) conn.Value {
	now := clock()
	revision, stale := a[0], now+number(a[1])
	if e, ok := m.entryLocked(key); ok {
		higher := !tooOld(e.revision(), revision, true)
		highest := max(e.revision(), revision)
		if e.barrier() {
			b := barrierOf(e, true, now)
			b.contended, b.stale, b.revision = 1, max(b.stale, stale), highest
			m.putBarrierLocked(key, b)
			return integer(1)
		}
		if higher && !e.placeholder() {
			m.patchLocked(key, 56, zero+zero)
			return integer(0)
		}
		if e.tombstone(now) {
			stale = max(stale, e.stale())
		}
		revision = highest
	}
	m.setLocked(key, placeholder(4, m.life, stale, 0, zero, 0, revision), stale)
	return integer(1)
}

// writer is one of a barrier's.
type writer struct {
	token    string
	deadline int64
}

// barrier is what stands in the place of an entry while it is written.
type barrier struct {
	writers   []writer
	contended byte
	revision  string
	stale     int64
}

func barrierOf(e entry, ok bool, now int64) barrier {
	b := barrier{revision: zero}
	if !ok {
		return b
	}
	b.revision = e.revision()
	if e.tombstone(now) {
		b.stale = e.stale()
	}
	if e.barrier() {
		b.contended = e[55]
		for i := headerSize; i+16 <= len(e) && i < headerSize+16*maxWriters; i += 16 {
			w := writer{string(e[i : i+8]), num(string(e), i+8)}
			if w.deadline > now && w.deadline <= now+maxLease {
				b.writers = append(b.writers, w)
			} else {
				b.contended = 1
			}
		}
	}
	return b
}

// placeOf is the place of a writer: its own, or the shared one; -1 for none.
func placeOf(ws []writer, token string) int {
	shared := -1
	for i, w := range ws {
		switch w.token {
		case token:
			return i
		case hold:
			shared = i
		}
	}
	return shared
}

// admit gives a writer a place until a deadline; extend: only where it has one.
func admit(ws []writer, token string, deadline int64, extend bool) ([]writer, bool) {
	place := placeOf(ws, token)
	if extend && place < 0 {
		return ws, false
	}
	if !extend {
		if len(ws) < maxWriters {
			if len(ws) == maxWriters-1 {
				token = hold
			}
			ws = append(ws, writer{token, deadline})
			place = len(ws) - 1
		}
		if place < 0 {
			place = maxWriters - 1
		}
	}
	ws[place].deadline = max(ws[place].deadline, deadline)
	return ws, true
}

// encode lists writers, and tells when the last of them ends.
func encode(ws []writer) (payload string, last int64) {
	var b strings.Builder
	for _, w := range ws {
		b.WriteString(w.token + be(w.deadline))
		last = max(last, w.deadline)
	}
	return b.String(), last
}

func (m *Model) putBarrierLocked(key string, b barrier) {
	payload, last := encode(b.writers)
	m.setLocked(key, placeholder(12, m.life, b.stale, b.contended, zero, last, b.revision)+payload, max(b.stale, last))
}

func (m *Model) barLocked(key string, a []string) conn.Value {
	now := clock()
	e, ok := m.entryLocked(key)
	b := barrierOf(e, ok, now)
	if a[2] != "1" && len(b.writers) > 0 {
		b.contended = 1
	}
	var stands bool
	if b.writers, stands = admit(b.writers, a[0], now+number(a[1]), a[2] == "1"); stands {
		m.putBarrierLocked(key, b)
	}
	return list(flag(stands), integer(now))
}

func (m *Model) liftLocked(key string, a []string) conn.Value {
	now := clock()
	e, ok := m.entryLocked(key)
	b := barrierOf(e, ok, now)
	place := placeOf(b.writers, a[0])
	own := place >= 0 && b.writers[place].token == a[0]
	if own {
		b.writers = append(b.writers[:place], b.writers[place+1:]...)
	}
	if len(b.writers) > 0 {
		b.contended = 1
		m.putBarrierLocked(key, b)
		return list(integer(0), integer(now))
	}
	if own && b.contended == 0 && a[1] != "" && !tooOld(a[1][80:88], b.revision, b.stale > now) {
		fresh := now + number(a[3])
		stale := fresh + number(a[4])
		m.setLocked(key, filled(a[1], m.life, a[2], fresh, stale), stale)
		return list(integer(1), integer(now))
	}
	if b.stale > now {
		m.setLocked(key, placeholder(4, m.life, b.stale, 0, zero, 0, b.revision), b.stale)
	} else {
		m.deleteLocked(key)
	}
	return list(integer(0), integer(now))
}
