package conn

import (
	"sync/atomic"
	"time"
)

// Tracker reads so that the server tells when what was read has changed
// (Redis' CLIENT TRACKING). One Tracker serves the whole process side of a
// Conn; reads of one key always take the same connection.
//
// The order of events that users rely on:
//
//   - a push for a key that was read reaches every listener before, or at the
//     latest together with, any later reply on that key's connection;
//   - when a connection is lost, or the server is flushed, its [Epoch] advances: pushes may have been
//     missed, so everything remembered under the old number is worthless;
//   - a write does not make the connection track a key, a read does, also a read
//     that ends a script.
//
// Where [Epoch.Lossy] holds, the first is not to be relied on: pushes come some time
// after the change, and may be lost.
type Tracker interface {
	// The embedded methods read over the tracking connection of the key. Do
	// not write through them, except in scripts that end with a read.
	Doer
	Pipeliner
	Evaler

	// Epoch is the life of the connection over which key is read. The pointer
	// is the same for the life of the Tracker. Capture the number before a
	// read; what was read is covered by pushes while the number stands.
	Epoch(key string) *Epoch

	// Listen calls fn with the keys of every push, nil meaning all keys, until
	// stop is called. fn must be quick and must not call the Conn: replies
	// wait behind it. After stop has returned fn is not called again.
	Listen(fn func(keys []string)) (stop func())

	// Announce calls all listeners of this process with keys, as a push would,
	// before it returns. Writers use it so that their own process forgets at
	// once what it remembers about a key. Without keys it does nothing.
	Announce(keys ...string)
}

// Epoch numbers the successive lives of one tracking connection, and knows until
// when the present one was heard of.
type Epoch struct {
	n     atomic.Uint64
	heard atomic.Int64
	lossy bool
}

// Load returns the present number.
func (e *Epoch) Load() uint64 { return e.n.Load() }

// Advance ends the present life. Only backends call it.
func (e *Epoch) Advance() { e.n.Add(1) }

// Heard returns the moment, on the clock of [Uptime], at which the last heartbeat
// was sent that the server has answered as the master it was: all that changed
// until then has been pushed. A connection may be dead without a sign of it, so
// what was read over it is to be trusted for a bounded time after this moment.
func (e *Epoch) Heard() time.Duration { return time.Duration(e.heard.Load()) }

// Hear notes a good heartbeat that was sent at a moment of [Uptime]. Only
// backends call it; those whose connections cannot die unnoticed call it once
// with [Always].
func (e *Epoch) Hear(sent time.Duration) { e.heard.Store(int64(sent)) }

// Lossy tells that pushes may be lost without a sign, the connection being alive: they
// come by another way than the replies. What was read over it is to be trusted for a
// bounded time after the read was sent, whatever Heard says.
func (e *Epoch) Lossy() bool { return e.lossy }

// SetLossy makes it so. Only backends call it, before others see the Epoch.
func (e *Epoch) SetLossy() { e.lossy = true }

// Always is the Heard of a connection that needs no heartbeat.
const Always = time.Duration(1<<63 - 1)

var processStart = time.Now()

// Uptime is the monotonic clock of heartbeats: the time since the process began.
func Uptime() time.Duration { return time.Since(processStart) }
