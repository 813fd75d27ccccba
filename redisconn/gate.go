package redisconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

// maxInFlight is how many calls one shared connection takes at a time; further
// ones wait outside, where their contexts count. The library's ring has 1024
// slots, and waiting for one of them cannot be ended.
const maxInFlight = 960

// The states of a gate.
const (
	gateDown   int32 = iota // no connection, or not proven yet
	gateOpen                // the last heartbeat was answered
	gateSilent              // something was written, and nothing came back for too long
)

var (
	errSilent    = errors.New("the server does not answer")
	errCut       = errors.New("the server did not answer in time, the connection was cut")
	errUncovered = errors.New("no node of the cluster holds the slot of the key")
)

// gate stands before the one shared connection of a client to a node. Calls pass
// while it is open; otherwise they fail at once, and its keeper sees to the
// connection. Nobody who calls ever dials, and nobody queues for a server that
// does not answer.
type gate struct {
	addr    string
	life    *life
	watched *watched // nil where nobody does

	state atomic.Int32
	// inFlight counts the calls inside, and those that were given up while the
	// library still waits for their reply: abandoned counts these.
	inFlight, abandoned atomic.Int64
	waiting             atomic.Int32 // len(waiters)

	socket  atomic.Pointer[socket]         // the present connection; nil if none
	id      atomic.Uint64                  // incarnation, 0 while unknown
	last    atomic.Int64                   // send time of the last good heartbeat
	beating atomic.Bool                    // a heartbeat is on its way over socket
	view    atomic.Pointer[view]           // of the cluster, as the node sees it
	node    atomic.Pointer[rueidis.Client] // executes on this node; nil if not known
	kicked  chan struct{}                  // has room for one

	mu      sync.Mutex // protects changes of socket, of state to and from gateDown, and the following
	sockets []*socket  // that may be the connection; the library may go back to an older one
	cause   error      // why the state is gateDown
	waiters []chan struct{}
	known   uint64 // incarnation of the last heartbeat, also across connections
	master  bool   // role at the last heartbeat

	// seen is the watcher's own: since when nothing has been read while a
	// heartbeat was on its way.
	seen struct {
		socket *socket
		reads  uint64
		at     time.Duration
	}
}

func newGate(addr string, l *life) *gate {
	return &gate{addr: addr, life: l, cause: errNotConnected, kicked: make(chan struct{}, 1)}
}

// enter admits one call, or says at once why not; leave must follow nil.
func (g *gate) enter(ctx context.Context, op string) error {
	if g == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return g.failed(op, err)
	}
	for {
		n := g.inFlight.Add(1)
		if g.state.Load() != gateOpen {
			g.release(1)
			g.watched.refusedOne()
			return g.refusal(op)
		}
		if n <= maxInFlight {
			g.watched.admitted()
			return nil
		}
		g.inFlight.Add(-1) // wakes nobody: no place became free
		if g.abandoned.Load() > maxInFlight/2 {
			g.kick() // a heartbeat that is answered proves them gone
		}
		if err := g.wait(ctx); err != nil {
			return g.failed(op, err)
		}
	}
}

// leave ends a call; err is what the library returned. A call that was given up
// keeps its place until a heartbeat that was sent later is answered.
func (g *gate) leave(err error) {
	g.watch().answered(err)
	switch {
	case g == nil:
	case err != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		g.abandoned.Add(1)
	default:
		g.release(1)
	}
}

// inside is the number of callers that are still in the library.
func (g *gate) inside() int64 { return g.inFlight.Load() - g.abandoned.Load() }

// kick makes the keeper look at once.
func (g *gate) kick() {
	select {
	case g.kicked <- struct{}{}:
	default:
	}
}

// open tells whether calls pass at the moment.
func (g *gate) open() bool { return g == nil || g.state.Load() == gateOpen }

// refusal is the error of a call that was not let in.
func (g *gate) refusal(op string) error {
	if g.life.over.Load() {
		return conn.ErrClosed
	}
	if g.state.Load() == gateSilent {
		hint := "calls pass again when it does"
		if s := g.socket.Load(); s != nil {
			if since := s.since.Load(); since != 0 {
				hint = fmt.Sprintf("%s has been silent for %d ms; %s", s.addr, (conn.Uptime() - time.Duration(since)).Milliseconds(), hint)
			}
		}
		return &conn.Error{Op: op, Err: errSilent, Hint: hint}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return &conn.Error{Op: op, Err: g.cause, Hint: "there is no connection; one is made in the background"}
}

// failed is the error of a call whose context has ended.
func (g *gate) failed(op string, err error) error {
	if g.life.over.Load() {
		return conn.ErrClosed
	}
	return &conn.Error{Op: op, Err: err}
}

// attach makes s the connection; the gate opens with the first heartbeat. While there
// is another, nobody knows which of them the library uses, and so whose incarnation
// an answer is to be judged by: in a failover it goes over to the new master with
// the gate open.
func (g *gate) attach(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sockets = append(g.sockets, s)
	g.socket.Store(s)
	if g.watched != nil {
		g.watched.dials.Add(1)
	}
	if len(g.sockets) > 1 {
		g.id.Store(0)
	}
}

// lose shuts the gate if s is its connection.
func (g *gate) lose(s *socket, cause error) {
	g.mu.Lock()
	mine := g.socket.Load() == s
	was := g.state.Load()
	if g.watched != nil && !g.life.over.Load() {
		g.watched.losses.Add(1)
	}
	g.sockets = slices.DeleteFunc(g.sockets, func(x *socket) bool { return x == s })
	if mine {
		var other *socket
		if n := len(g.sockets); n > 0 {
			other = g.sockets[n-1]
		}
		g.socket.Store(other)
		g.id.Store(0)
		g.state.Store(gateDown)
		if was != gateDown { // else the keeper knows better
			g.cause = fmt.Errorf("the connection was lost: %w", cause)
		}
		g.wakeLocked(-1)
	}
	g.mu.Unlock()
	if !mine || was != gateDown { // a failed attempt of the keeper does not call for the next
		g.kick()
	}
}

// executor executes on the gate's node; nil if the client does not know it.
func (g *gate) executor() rueidis.Client {
	if p := g.node.Load(); p != nil {
		return *p
	}
	return nil
}
