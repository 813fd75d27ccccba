package redisconn

import (
	"net"
	"runtime"
	"sync/atomic"

	"github.com/larder-go/larder/conn"
)

// socket is a network connection that tells its owner at once when it can no
// longer be trusted: before the error that says so is returned to anybody.
type socket struct {
	net.Conn
	life     *life
	lose     func(cause error) // nil where nobody wants to know
	lost     atomic.Bool
	sentinel bool

	addr  string
	raw   net.Conn      // below TLS
	gate  *gate         // nil for connections that nobody shares
	since atomic.Int64  // conn.Uptime of the first write since the last read, or 0
	reads atomic.Uint64 // that brought something
}

var _ net.Conn = (*socket)(nil)

func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if n > 0 && s.gate != nil {
		s.reads.Add(1)
		if s.since.Load() != 0 {
			s.since.Store(0)
		}
		s.gate.spoke()
	}
	if err != nil {
		s.fail(err)
	}
	return n, err
}

func (s *socket) Write(b []byte) (int, error) {
	if s.gate != nil && s.since.Load() == 0 {
		s.since.CompareAndSwap(0, int64(conn.Uptime()))
	}
	// Whoever is ready to run, on his way to another command or from a reply, goes
	// first: what they send meanwhile is one system call the next time. Where nobody
	// is it costs next to nothing.
	runtime.Gosched()
	n, err := s.Conn.Write(b)
	if err != nil {
		s.fail(err)
	}
	return n, err
}

func (s *socket) Close() error {
	s.fail(net.ErrClosed)
	err := s.Conn.Close()
	s.life.forget(s)
	return err
}

// cut ends the connection without a word to the other side, which may not listen.
func (s *socket) cut(cause error) {
	s.fail(cause)
	_ = s.raw.Close()
}

// RemoteAddr marks connections to sentinels: what to log in with depends on it,
// and the address is all that the client library passes on.
func (s *socket) RemoteAddr() net.Addr {
	if s.sentinel {
		return sentinelAddr{s.Conn.RemoteAddr()}
	}
	return s.Conn.RemoteAddr()
}

type sentinelAddr struct{ net.Addr }

func (s *socket) fail(cause error) {
	if !s.lost.CompareAndSwap(false, true) {
		return
	}
	if s.gate != nil {
		s.gate.lose(s, cause)
	}
	if s.lose != nil {
		s.lose(cause)
	}
}
