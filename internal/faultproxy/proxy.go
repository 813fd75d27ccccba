package faultproxy

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// dialTimeout bounds the way to the server.
const dialTimeout = 5 * time.Second

// Options are the settings of Open.
type Options struct {
	// Target is the server's host:port. Required.
	Target string
	// Seed is what the draws follow.
	Seed uint64
}

// Proxy is one listener in front of one server.
type Proxy struct {
	target string
	ln     net.Listener
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup // all goroutines

	mu      sync.Mutex // protects the following
	cond    *sync.Cond // tells of their changes
	rng     *rand.Rand
	faults  []*Fault
	links   map[*link]struct{}
	closed  bool
	touched map[Kind]int // how often a kind has befallen something
}

// Open listens on a free port of the loopback interface.
func Open(ctx context.Context, o Options) (*Proxy, error) {
	if _, _, err := net.SplitHostPort(o.Target); err != nil {
		return nil, fmt.Errorf("faultproxy: Options.Target is %q; it must be host:port", o.Target)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	p := &Proxy{
		target: o.Target, ln: ln, rng: rand.New(rand.NewPCG(o.Seed, 0xfa017)),
		links: map[*link]struct{}{}, touched: map[Kind]int{},
	}
	p.cond = sync.NewCond(&p.mu)
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	p.work.Go(p.accept)
	return p, nil
}

// Addr is the host:port that clients connect to.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Close cuts all connections and waits for the goroutines.
func (p *Proxy) Close() error {
	p.end()
	err := p.ln.Close()
	p.change(func() { p.closed = true })
	p.Cut()
	p.work.Wait()
	return err
}

// Inject makes the proxy fail in this way until heal is called. Several faults may
// be in force; a second heal does nothing.
func (p *Proxy) Inject(f Fault) (heal func()) {
	fault := &f
	p.change(func() { p.faults = append(p.faults, fault) })
	var once sync.Once
	return func() {
		once.Do(func() {
			p.change(func() {
				p.faults = slices.DeleteFunc(p.faults, func(x *Fault) bool { return x == fault })
			})
			p.cutIf(func(l *link) bool { return f.ThenCut || f.Kind == DropPushes && l.lossy })
		})
	}
}

// Cut closes all connections.
func (p *Proxy) Cut() { p.cutIf(func(*link) bool { return true }) }

// Touched tells how often faults of each kind have befallen something.
func (p *Proxy) Touched() map[Kind]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.touched)
}

func (p *Proxy) cutIf(which func(*link) bool) {
	p.change(func() {
		for l := range p.links {
			if which(l) {
				l.closeLocked()
			}
		}
	})
}

func (p *Proxy) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	p.cond.Broadcast()
}

// faultLocked returns a fault of a kind that is in force, or nil.
func (p *Proxy) faultLocked(k Kind) *Fault {
	for _, f := range p.faults {
		if f.Kind == k {
			return f
		}
	}
	return nil
}

// drawLocked tells whether a fault of a kind befalls something now, and counts it.
func (p *Proxy) drawLocked(k Kind) *Fault {
	f := p.faultLocked(k)
	if f == nil || f.OneIn > 1 && p.rng.IntN(f.OneIn) != 0 {
		return nil
	}
	p.touched[k]++
	return f
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refused := p.drawLocked(Refuse) != nil
		p.mu.Unlock()
		if refused {
			_ = client.Close()
			continue
		}
		p.work.Go(func() { p.serve(client) })
	}
}

// serve connects a client to the server and carries between them until one is gone.
func (p *Proxy) serve(client net.Conn) {
	d := net.Dialer{Timeout: dialTimeout}
	server, err := d.DialContext(p.life, "tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{p: p, client: client, server: server}
	p.change(func() {
		p.links[l] = struct{}{}
		if p.closed {
			l.closeLocked()
		}
	})
	var both sync.WaitGroup
	both.Go(l.carryRequests)
	both.Go(l.carryReplies)
	both.Wait()
	p.change(func() { delete(p.links, l) })
}
