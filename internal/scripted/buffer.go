package scripted

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// capacity is how much one direction of a connection holds before its writer
// waits: about what a kernel buffers.
const capacity = 256 << 10

// buffer is one direction of a connection.
type buffer struct {
	mu   sync.Mutex // protects the following
	cond *sync.Cond
	data []byte
	// ended: the writer is gone, what is left may be read; refused: the reader is.
	ended, refused bool
	// readUntil and writeUntil are the deadlines, zero for none.
	readUntil, writeUntil time.Time
}

func newBuffer() *buffer {
	b := &buffer{}
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *buffer) change(fn func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn()
	b.cond.Broadcast()
}

func past(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

func (b *buffer) read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.refused:
			return 0, net.ErrClosed
		case past(b.readUntil):
			return 0, os.ErrDeadlineExceeded
		case len(b.data) > 0:
			n := copy(p, b.data)
			b.data = b.data[n:]
			b.cond.Broadcast()
			return n, nil
		case b.ended:
			return 0, io.EOF
		}
		b.cond.Wait()
	}
}

func (b *buffer) write(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.ended:
			return n, net.ErrClosed
		case b.refused:
			return n, syscall.EPIPE
		case past(b.writeUntil):
			return n, os.ErrDeadlineExceeded
		}
		room := min(capacity-len(b.data), len(p)-n)
		b.data = append(b.data, p[n:n+room]...)
		b.cond.Broadcast()
		if n += room; n == len(p) {
			return n, nil
		}
		b.cond.Wait()
	}
}

func (b *buffer) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.data)
}

// at has the waiting look again when t has come.
func (b *buffer) at(t time.Time) {
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), b.cond.Broadcast)
	}
}

// end is one end of a connection.
type end struct {
	in, out *buffer
	addr    address
}

var _ net.Conn = (*end)(nil)

// connect makes the two ends of a connection.
func connect(addr string) (client, server *end) {
	up, down := newBuffer(), newBuffer()
	return &end{in: down, out: up, addr: address(addr)}, &end{in: up, out: down, addr: "client"}
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }

// Close lets the other end read what was written before.
func (e *end) Close() error {
	e.out.change(func() { e.out.ended = true })
	e.in.change(func() { e.in.refused, e.in.data = true, nil })
	return nil
}

func (e *end) LocalAddr() net.Addr  { return address("local") }
func (e *end) RemoteAddr() net.Addr { return e.addr }

func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() { e.in.readUntil = t })
	e.in.at(t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.change(func() { e.out.writeUntil = t })
	e.out.at(t)
	return nil
}

// address names an end.
type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }
