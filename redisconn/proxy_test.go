package redisconn

import (
	"context"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a client and a server. It can hold back what either of
// them says, as a network or a server does that is gone without a word.
type proxy struct {
	t      *testing.T
	target string
	ln     net.Listener

	mu    sync.Mutex // protects the following
	cond  *sync.Cond
	hold  bool // answers are held back
	pass  int  // of the next answer, this many bytes are let through before
	conns []net.Conn
	ended bool
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, target: target, ln: ln}
	p.cond = sync.NewCond(&p.mu)
	var wg sync.WaitGroup
	wg.Go(func() { p.accept(&wg) })
	t.Cleanup(func() {
		_ = ln.Close()
		p.cut()
		p.set(func() { p.ended, p.hold = true, false })
		wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "redis://" + p.ln.Addr().String() }

// set changes the proxy's state.
func (p *proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.cond.Broadcast()
}

func (p *proxy) freeze() { p.set(func() { p.hold = true }) }
func (p *proxy) thaw()   { p.set(func() { p.hold = false }) }

// cut closes all connections.
func (p *proxy) cut() {
	p.set(func() {
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.conns = nil
	})
}

func (p *proxy) accept(wg *sync.WaitGroup) {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.set(func() {
			if p.ended {
				_, _ = client.Close(), server.Close()
			}
			p.conns = append(p.conns, client, server)
		})
		wg.Go(func() { p.copy(server, client, false) })
		wg.Go(func() { p.copy(client, server, true) })
	}
}

func (p *proxy) copy(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		b := buf[:n]
		if answers {
			b = p.held(to, b)
		}
		if _, err := to.Write(b); err != nil {
			return
		}
	}
}

// held waits while answers are held back, and returns what is left of b.
func (p *proxy) held(to net.Conn, b []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold && p.pass > 0 {
		n := min(p.pass, len(b))
		p.pass -= n
		_, _ = to.Write(b[:n])
		b = b[n:]
	}
	for p.hold {
		p.cond.Wait()
	}
	return b
}

// dialler counts connections, and those that another goroutine than a keeper's
// opens once closed has been set.
type dialler struct {
	dials, foreign atomic.Int64
	opened         atomic.Bool
}

func (d *dialler) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.dials.Add(1)
	if d.opened.Load() && !strings.Contains(string(debug.Stack()), "(*keeper).keep(") {
		d.foreign.Add(1)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// openVia opens a handle whose connections d opens.
func openVia(t *testing.T, url string, d *dialler, opts Options) *Conn {
	t.Helper()
	opts.Dial = d.dial
	c := open(t, url, opts)
	d.opened.Store(true)
	return c
}
