package redisconn

import (
	"net"
	"sync/atomic"
)

// socket is a network connection that tells its owner at once when it can no
// longer be trusted: before the error that says so is returned to anybody.
type socket struct {
	net.Conn
	life     *life
	lose     func(cause error) // nil where nobody wants to know
	lost     atomic.Bool
	sentinel bool
}

var _ net.Conn = (*socket)(nil)

func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if err != nil {
		s.fail(err)
	}
	return n, err
}

func (s *socket) Write(b []byte) (int, error) {
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
	if s.lose != nil && s.lost.CompareAndSwap(false, true) {
		s.lose(cause)
	}
}
