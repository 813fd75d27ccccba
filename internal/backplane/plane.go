package backplane

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

const (
	// heartbeat is how often a process publishes to itself.
	heartbeat = 250 * time.Millisecond
	// beatTimeout bounds the sending of one.
	beatTimeout = time.Second
	// silence is how long nothing need come back before the subscription is given
	// up. A connection can be dead without anybody noticing.
	silence = 5 * time.Second
	// The time between two tries to subscribe grows from firstRetry to lastRetry.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// never is the Heard of a subscription that nothing has come back over.
const never = time.Duration(-1 << 63)

var errSilent = errors.New("backplane: no heartbeat comes back")

// plane is the backplane of one connection in this process. It is the Tracker of
// all links over it: reads go over the connection as they are.
type plane struct {
	conn.Conn
	log    *slog.Logger
	epoch  conn.Epoch
	heard  listeners
	outbox *outbox
	own    string // the channel of the heartbeats

	links int // protected by the mu of planes
	end   context.CancelFunc
	done  chan struct{} // closed when the subscription has ended
}

var _ conn.Tracker = (*plane)(nil)

// newPlane makes a plane and subscribes in the background.
func newPlane(c conn.Conn, log *slog.Logger) *plane {
	p := &plane{Conn: c, log: log, outbox: newOutbox(c), done: make(chan struct{})}
	p.own = channel + ":" + p.outbox.origin
	p.epoch.SetLossy()
	p.epoch.Hear(never)
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	go func() {
		defer close(p.done)
		p.run(ctx)
	}()
	return p
}

// Epoch is the life of the subscription, which is one for all keys.
func (p *plane) Epoch(string) *conn.Epoch { return &p.epoch }

// Listen implements conn.Tracker.
func (p *plane) Listen(fn func(keys []string)) (stop func()) { return p.heard.add(fn) }

// Announce calls the listeners of this process, and has others told soon.
func (p *plane) Announce(keys ...string) {
	if len(keys) > 0 {
		p.heard.notify(keys)
		p.outbox.add(keys)
	}
}

// run keeps the subscription up until ctx ends or the connection is closed. It
// complains once for each time that the backplane is out of order.
func (p *plane) run(ctx context.Context) {
	wait, complained := firstRetry, false
	for {
		err := p.subscribe(ctx)
		if p.epoch.Heard() != never {
			wait, complained = firstRetry, false
		}
		p.epoch.Hear(never)
		p.forget()
		if ctx.Err() != nil || errors.Is(err, conn.ErrClosed) {
			return
		}
		if !complained {
			p.log.LogAttrs(ctx, slog.LevelWarn,
				"larder: the server does not push and publish/subscribe is out of order; nothing is served from the process' memory",
				slog.Any("error", err))
			complained = true
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		wait = min(2*wait, lastRetry)
	}
}

// forget makes all that was read so far worthless: messages were missed.
func (p *plane) forget() {
	p.epoch.Advance()
	p.heard.notify(nil)
}

// subscribe listens until the subscription is lost, or silent for too long.
func (p *plane) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ready := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() { p.beat(ctx, ready, cancel) })
	err := p.Conn.Subscribe(ctx, conn.Subscription{
		Channels: []string{channel, p.own},
		Ready:    func() { close(ready) },
	}, p.receive)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	beating.Wait()
	return err
}

// beat publishes heartbeats from the moment the subscription is ready, and gives
// it up when none has come back for too long.
func (p *plane) beat(ctx context.Context, ready <-chan struct{}, giveUp context.CancelCauseFunc) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	begun := conn.Uptime()
	subscribed := false
	for {
		if subscribed {
			p.sendBeat(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-ready:
			// What was read before may have changed before, too.
			p.forget()
			ready, subscribed = nil, true
		case <-tick.C:
		}
		if conn.Uptime()-max(begun, p.epoch.Heard()) > silence {
			giveUp(errSilent)
			return
		}
	}
}

// sendBeat fails without a word: what counts is what comes back.
func (p *plane) sendBeat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	_, _ = p.Conn.Do(ctx, conn.Cmd("PUBLISH", p.own, strconv.FormatInt(int64(conn.Uptime()), 36)))
}

// receive takes one message. One that it cannot read, of a later version for
// example, may mean any key.
func (p *plane) receive(m conn.Message) {
	if m.Channel == p.own {
		sent, err := strconv.ParseInt(m.Payload, 36, 64)
		if at := time.Duration(sent); err == nil && at > p.epoch.Heard() && at <= conn.Uptime() {
			p.epoch.Hear(at)
		}
		return
	}
	origin, keys, err := parse(m.Payload)
	switch {
	case err != nil:
		p.heard.notify(nil)
	case origin != p.outbox.origin: // this process was told by Announce
		p.heard.notify(keys)
	}
}
