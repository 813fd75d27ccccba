package scripted

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// URL is what to open with Options.Dial set to Server.Dial; the address means
// nothing.
const URL = "redis://scripted:6379"

// ErrRefused is the error of a dial that the server refuses.
var ErrRefused error = &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}

var errClosed = errors.New("scripted: the server is closed")

// Server is one scripted Redis.
type Server struct {
	wg sync.WaitGroup // the goroutines of sessions

	mu       sync.Mutex // protects the following, and the queues of sessions
	cond     *sync.Cond // of every change
	engine   *embedded.Engine
	faults   []*Fault
	sessions []*session
	scripts  map[string]string // text by digest
	dials    int
	closed   bool
}

// New makes a server that answers from e. It has no goroutine until somebody
// connects.
func New(e *embedded.Engine) *Server {
	s := &Server{engine: e, scripts: map[string]string{}}
	s.cond = sync.NewCond(&s.mu)
	return s
}

// Dial connects a client. It has the form of redisconn's Options.Dial.
func (s *Server) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	defer context.AfterFunc(ctx, func() { s.change(func() {}) })()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	for s.dialFaultLocked(Hang) && ctx.Err() == nil && !s.closed {
		s.cond.Wait()
	}
	switch {
	case s.closed:
		return nil, errClosed
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case s.dialFaultLocked(Refuse):
		return nil, ErrRefused
	}
	client, server := connect(addr)
	n := newSession(s, server)
	s.sessions = append(s.sessions, n)
	s.wg.Go(n.listen)
	s.wg.Go(n.talk)
	return client, nil
}

// Cut closes all connections; what was sent before may still be read.
func (s *Server) Cut() { s.cut(func(*session) bool { return true }) }

// CutTracking closes the connections with invalidation pushes.
func (s *Server) CutTracking() { s.cut(func(n *session) bool { return n.tracking }) }

func (s *Server) cut(which func(*session) bool) {
	s.mu.Lock()
	cut := make([]*session, 0, len(s.sessions))
	for _, n := range s.sessions {
		if which(n) {
			cut = append(cut, n)
		}
	}
	s.mu.Unlock()
	for _, n := range cut {
		n.close()
	}
}

// Replace cuts all connections, and lets e answer those to come: the server was
// started anew, or a replica was promoted.
func (s *Server) Replace(e *embedded.Engine) {
	s.change(func() { s.engine = e })
	s.Cut()
}

// Close ends all connections and waits for their goroutines. The engine stays.
func (s *Server) Close() {
	s.change(func() { s.closed = true })
	s.Cut()
	s.wg.Wait()
}

// Dials is how often somebody has tried to connect.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Connections is how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Unread is how many bytes clients have sent that the server has not read. It
// reads ahead by a few kilobytes.
func (s *Server) Unread() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sessions {
		n += c.end.in.size()
	}
	return n
}

func (s *Server) change(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
	s.cond.Broadcast()
}

func (s *Server) forget(n *session) {
	s.change(func() {
		s.sessions = slices.DeleteFunc(s.sessions, func(x *session) bool { return x == n })
	})
}

// exchangeLocked describes a command that n has received.
func (s *Server) exchangeLocked(n *session, args []string) Exchange {
	x := Exchange{Tracking: n.tracking, Args: args}
	if len(args) > 1 {
		switch args[0] {
		case "EVAL":
			x.Script = args[1]
			s.scripts[conn.NewScript(args[1]).Digest()] = args[1]
		case "EVALSHA":
			x.Script = s.scripts[strings.ToLower(args[1])]
		}
	}
	return x
}
