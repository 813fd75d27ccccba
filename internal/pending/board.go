package pending

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/conn"
)

// board is what the queues over one connection have in common: several caches of a
// process use it, and what one of them could not invalidate none of them may use.
type board struct {
	size atomic.Int64  // how much is pending in all of them
	sent atomic.Uint64 // rounds of delivery that have ended

	shared conn.Conn  // nil where it cannot be found again
	mu     sync.Mutex // protects queues
	queues []*Queue
}

// boards has those of the connections in use.
var boards = struct {
	mu sync.Mutex // protects m, and the coming and going of queues
	m  map[conn.Conn]*board
}{m: map[conn.Conn]*board{}}

// join puts a queue on the board of a connection.
func join(shared conn.Conn, q *Queue) *board {
	boards.mu.Lock()
	defer boards.mu.Unlock()
	if shared == nil || !reflect.TypeOf(shared).Comparable() {
		return &board{queues: []*Queue{q}}
	}
	b := boards.m[shared]
	if b == nil {
		b = &board{shared: shared}
		boards.m[shared] = b
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queues = append(b.queues, q)
	return b
}

// leave takes a queue off; what is pending in it blocks nothing any more.
func (b *board) leave(q *Queue) {
	boards.mu.Lock()
	defer boards.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.Index(b.queues, q)
	if at < 0 {
		return
	}
	b.queues = slices.Delete(b.queues, at, at+1)
	b.size.Add(-q.size.Swap(0))
	if len(b.queues) == 0 && b.shared != nil {
		delete(boards.m, b.shared)
	}
}

func (b *board) list() []*Queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.queues)
}

// disown tells the caches of all queues of generations whose end is pending.
func (b *board) disown(generations []string) {
	for _, q := range b.list() {
		if q.disown != nil {
			q.disown(generations...)
		}
	}
}

// Any tells whether something is pending, here or in another queue over the same
// connection. A nil Queue has nothing.
func (q *Queue) Any() bool { return q != nil && q.board.size.Load() > 0 }

// Moment is a state of the queues over a connection before a read.
type Moment struct {
	pending bool
	sent    uint64
}

// Now returns the present state. A nil Queue has one too.
func (q *Queue) Now() Moment {
	if !q.Any() {
		return Moment{}
	}
	return Moment{pending: true, sent: q.board.sent.Load()}
}

// Passed tells whether something that was pending at a moment may have been
// delivered since: what was read in between may be older, and is blocked by nothing
// any more.
func (q *Queue) Passed(m Moment) bool { return m.pending && q.board.sent.Load() != m.sent }

// Blocks tells whether an invalidation of one of the keys, of entries or of
// generations, is pending over the connection: what Redis holds under them must not be
// used.
func (q *Queue) Blocks(keys ...string) bool {
	if !q.Any() {
		return false
	}
	for _, other := range q.board.list() {
		if other.Len() > 0 && slices.ContainsFunc(keys, other.has) {
			return true
		}
	}
	return false
}
