package generation

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
)

// Generation is what a process knows of one tag or namespace. Entries in L1
// keep a pointer to it and compare on every hit.
type Generation struct {
	key   string
	epoch *conn.Epoch // nil where nothing is tracked

	known    atomic.Pointer[known]
	assured  atomic.Int64 // monotonic ns when the key was last known to live long enough, 0 for never
	mu       sync.Mutex   // protects seq, and known against writes of an older reading
	seq      uint64       // counts the times that the knowledge was taken back
	detached bool         // no longer in the table: never known again
}

// known is a value together with the life of the connection that vouches for it,
// and the moment at which it was asked for: conn.Always where pushes are not lost.
type known struct {
	Value
	epoch uint64
	sent  time.Duration
}

// Key is the Redis key of the generation.
func (g *Generation) Key() string { return g.key }

// Current returns what the generation is now, if this process knows it, over a
// connection that was heard of since a moment of conn.Uptime; where pushes may be
// lost, if it has asked since then.
func (g *Generation) Current(since time.Duration) (Value, bool) {
	if k := g.current(since); k != nil {
		return k.Value, true
	}
	return Value{}, false
}

func (g *Generation) current(since time.Duration) *known {
	k := g.known.Load()
	if k == nil || g.epoch != nil && (g.epoch.Load() != k.epoch || g.epoch.Heard() < since || k.sent < since) {
		return nil
	}
	return k
}

// Is tells whether number is known to be the current one.
func (g *Generation) Is(number uint64, since time.Duration) bool {
	k := g.current(since)
	return k != nil && k.Number == number
}

// Seq counts how often what is known was taken back: while it stands, nothing was
// invalidated that this process has heard of.
func (g *Generation) Seq() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seq
}

// Forget takes back what is known, so that the next Read asks Redis.
func (g *Generation) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seq++
	g.known.Store(nil)
	g.assured.Store(0) // the key may have been lost, and made anew with a short life
}

// detach forgets for ever: pushes no longer reach this Generation.
func (g *Generation) detach() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.detached = true
	g.seq++
	g.known.Store(nil)
}

// reading is the state before a read; learn accepts the answer only if nothing
// has been taken back since.
type reading struct {
	seq, epoch uint64
	sent       time.Duration // as in known
}

func (g *Generation) begin() reading {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := reading{seq: g.seq, epoch: g.epoch.Load(), sent: conn.Always}
	if g.epoch.Lossy() {
		r.sent = conn.Uptime()
	}
	return r
}

func (g *Generation) learn(r reading, v Value) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.detached && g.seq == r.seq && g.epoch.Load() == r.epoch {
		g.known.Store(&known{Value: v, epoch: r.epoch, sent: r.sent})
	}
}
