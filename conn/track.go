package conn

import "sync/atomic"

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

// Epoch numbers the successive lives of one tracking connection.
type Epoch struct{ n atomic.Uint64 }

// Load returns the present number.
func (e *Epoch) Load() uint64 { return e.n.Load() }

// Advance ends the present life. Only backends call it.
func (e *Epoch) Advance() { e.n.Add(1) }
