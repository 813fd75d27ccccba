package event

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/larder-go/larder/conn"
)

// pump is the one subscription at the server that a topic has while somebody
// subscribes. It is used once.
type pump struct {
	hub    *hub
	cancel context.CancelFunc
	wake   chan struct{} // durable: the stream may have grown; has room for one

	// The hub's mutex protects the following. live is closed while the server has
	// confirmed the subscription, and replaced when that is lost.
	users int // subscriptions, those that wait for live included
	live  chan struct{}
	isUp  bool
	lost  bool     // it was confirmed before
	feeds []*feed  // copied on every change; those that get what comes
	last  streamID // durable: of the last message that the feeds were given
	known bool     // durable: last is set
	cause error    // why it is not live
	end   error    // why there will never be more

	attempt      int  // numbers the tries to subscribe, and their ends
	confirmation int  // the last attempt that was confirmed
	reconnected  bool // durable: the connection was lost, and the stream was not read to its end since
}

// acquire returns the pump, starting it if need be; release must follow.
func (h *hub) acquire() (*pump, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if h.pump == nil {
		ctx, cancel := context.WithCancel(context.Background())
		p := &pump{hub: h, cancel: cancel, live: make(chan struct{}), wake: make(chan struct{}, 1)}
		before, ended := h.before, make(chan struct{})
		h.pump, h.before = p, ended
		h.running.Go(func() {
			defer close(ended)
			if before != nil {
				<-before // one subscription at a time
			}
			p.run(ctx)
		})
	}
	h.pump.users++
	return h.pump, nil
}

// release ends the pump with its last user.
func (p *pump) release() {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.users--; p.users == 0 {
		p.cancel()
		if h.pump == p {
			h.pump = nil
		}
	}
}

// state returns what is closed when the pump is live, and why it is not.
func (p *pump) state() (live <-chan struct{}, cause error) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	return p.live, p.cause
}

func (p *pump) isLive() bool {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	return p.isUp
}

// run subscribes until ctx ends, over and over.
func (p *pump) run(ctx context.Context) {
	defer p.cancel()
	h := p.hub
	follower := make(chan struct{})
	if h.opt.Durable {
		h.running.Go(func() {
			defer close(follower)
			p.follow(ctx)
		})
	} else {
		close(follower)
	}
	defer func() { <-follower }()
	defer p.cancel()
	var want conn.Subscription
	switch {
	case h.opt.Pattern:
		want.Patterns = []string{h.name}
	case h.sharded:
		want.Sharded = []string{h.name}
	default:
		want.Channels = []string{h.name}
	}
	for tries := 0; ; tries++ {
		attempt := p.begin()
		want.Ready = func() { p.confirmed(attempt) }
		err := h.conn.Subscribe(ctx, want, func(m conn.Message) { p.receive(ctx, m) })
		if ctx.Err() != nil {
			return
		}
		if p.disconnected(err) {
			tries = 0
		}
		if errors.Is(err, conn.ErrClosed) {
			p.over()
			return
		}
		h.opt.Logger.WarnContext(ctx, "event: the subscription was lost, it is made again", "error", err)
		if !pause(ctx, backoff(tries)) {
			return
		}
	}
}

// backoff is 50 ms at first and two seconds later, less a random part.
func backoff(tries int) time.Duration {
	d := min(50*time.Millisecond<<min(tries, 10), 2*time.Second)
	return d/2 + rand.N(d/2)
}

// begin numbers the attempts, as a confirmation may come when all is over.
func (p *pump) begin() int {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.attempt++
	return p.attempt
}

// confirmed is called when the server has confirmed the subscription.
func (p *pump) confirmed(attempt int) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if attempt != p.attempt {
		return
	}
	p.confirmation = attempt
	if p.hub.opt.Durable {
		p.notify() // follow reads what was missed first
	} else {
		p.upLocked()
	}
}

// upLocked lets subscribers in. Those that are there already have missed what was
// published while the connection was lost, unless it lies in a stream.
func (p *pump) upLocked() {
	if p.isUp || p.end != nil {
		return
	}
	if p.lost && !p.hub.opt.Durable {
		for _, f := range p.feeds {
			f.gap(GapError{Reason: Disconnected})
		}
	}
	p.isUp, p.cause = true, nil
	close(p.live)
}

// disconnected tells whether the subscription had been confirmed.
func (p *pump) disconnected(err error) (wasUp bool) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.cause = err
	p.attempt++
	p.reconnected = p.reconnected || p.known
	if !p.isUp {
		return false
	}
	p.isUp, p.lost, p.live = false, true, make(chan struct{})
	p.hub.reconnects.Add(1)
	return true
}

// over ends the pump and all subscriptions: the Conn is closed.
func (p *pump) over() {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.end = ErrClosed
	for _, f := range p.feeds {
		f.end(ErrClosed)
	}
	if !p.isUp {
		close(p.live)
	}
	if p.hub.pump == p {
		p.hub.pump = nil
	}
}

// receive handles a published message. Where the topic is durable it only says that
// the stream has grown: the order is the stream's.
func (p *pump) receive(ctx context.Context, m conn.Message) {
	if p.hub.opt.Durable {
		p.notify()
		return
	}
	p.hub.mu.Lock()
	p.upLocked() // the confirmation may come a moment later than the first message
	feeds := p.feeds
	p.hub.mu.Unlock()
	p.hub.received.Add(1)
	p.deliver(ctx, feeds, received{channel: m.Channel, data: m.Payload, whole: true})
}

func (p *pump) deliver(ctx context.Context, feeds []*feed, r received) {
	for _, f := range feeds {
		f.push(ctx, r)
	}
}

func (p *pump) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// attach lets a feed have what comes from now on; it must be up. A feed of a
// durable topic that is to begin elsewhere begins behind.
func (p *pump) attach(f *feed) (ok bool, err error) {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return false, ErrClosed
	case p.end != nil:
		return false, p.end
	case !p.isUp:
		return false, nil
	}
	if h.opt.Durable && !f.behind {
		f.cursor = p.last
	}
	p.feeds = append(slices.Clone(p.feeds), f)
	return true, nil
}

func (p *pump) detach(f *feed) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.feeds = slices.DeleteFunc(slices.Clone(p.feeds), func(x *feed) bool { return x == f })
}
