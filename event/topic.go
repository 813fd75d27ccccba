package event

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// Topic publishes and receives messages of type T, which encoding/json encodes.
type Topic[T any] struct {
	hub *hub
	// text says that T is string: other programs publish strings as they are.
	text bool
}

// NewTopic makes a topic over c, which the caller closes after it. Nothing is sent
// before the first Publish or Subscribe.
func NewTopic[T any](c conn.Conn, name string, o Options) (*Topic[T], error) {
	if c == nil {
		return nil, optionError("the conn", nil, "an open one")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := checkName(name, o); err != nil {
		return nil, err
	}
	h := &hub{
		conn: c, name: name, opt: o, done: make(chan struct{}),
		sharded: c.Capabilities().Cluster && !o.Unsharded && !o.Pattern,
	}
	_, text := any(*new(T)).(string)
	t := &Topic[T]{hub: h, text: text}
	t.hub.unregister = observe.OrNobody(o.Observer).Register(observe.Source{Subject: t.Describe(), Metrics: Metrics(), Read: t.yield})
	return t, nil
}

// Close ends all subscriptions of the topic and waits for its goroutines. It does
// not close the Conn. A second Close does nothing.
func (t *Topic[T]) Close() error {
	t.hub.close()
	return nil
}

// Stats are what a topic has done in this process.
type Stats struct {
	// Subscribers is how many subscriptions there are.
	Subscribers int
	// Published counts messages of this process that the server has accepted.
	Published int64
	// Received counts messages that came from the server, each once, however many
	// subscribers it has.
	Received int64
	// Delivered counts messages that subscribers have got.
	Delivered int64
	// Dropped counts messages that did not fit the buffer of a subscriber, each
	// once for every subscriber that did not get it.
	Dropped int64
	// Undecodable counts messages that subscribers have got as a DecodeError.
	Undecodable int64
	// Gaps counts the GapErrors that subscribers have got.
	Gaps int64
	// Reconnects counts lost connections.
	Reconnects int64
	// CatchUps counts how often a subscriber of a durable topic has read from the
	// stream by itself.
	CatchUps int64
}

// Stats returns the counters of the topic.
func (t *Topic[T]) Stats() Stats {
	h := t.hub
	h.mu.Lock()
	n := 0
	if h.pump != nil {
		n = len(h.pump.feeds)
	}
	h.mu.Unlock()
	return Stats{
		Subscribers: n, Published: h.published.Load(), Received: h.received.Load(), Delivered: h.delivered.Load(),
		Dropped: h.dropped.Load(), Undecodable: h.undecodable.Load(), Gaps: h.gaps.Load(),
		Reconnects: h.reconnects.Load(), CatchUps: h.catchUps.Load(),
	}
}

// hub is what does not depend on the type of the messages.
type hub struct {
	conn    conn.Conn
	name    string
	opt     Options
	sharded bool
	done    chan struct{} // closed by close
	running sync.WaitGroup
	// unregister takes the topic away from its Observer, once.
	unregister func()

	published, received, delivered, dropped, undecodable, gaps, reconnects, catchUps atomic.Int64

	mu     sync.Mutex // protects the following and the fields of pump and feed that say so
	closed bool
	pump   *pump         // nil while nobody subscribes
	before chan struct{} // closed when the pump before the present one has ended
}

func (h *hub) isClosed() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

func (h *hub) close() {
	h.mu.Lock()
	closing := !h.closed
	if closing {
		h.closed = true
		close(h.done)
		if h.pump != nil {
			h.pump.cancel()
			for _, f := range h.pump.feeds {
				f.end(ErrClosed)
			}
		}
	}
	h.mu.Unlock()
	h.running.Wait()
	if closing {
		h.unregister()
	}
}

// decode makes a message of what was received.
func (t *Topic[T]) decode(r received) (Message[T], error) {
	m := Message[T]{Channel: r.channel, Event: r.event}
	if r.id != (streamID{}) {
		m.ID = r.id.String()
	}
	err := errNoData
	if r.whole {
		err = json.Unmarshal([]byte(r.data), &m.Data)
	}
	if err != nil && t.text && r.whole {
		m.Data, _ = any(r.data).(T)
		return m, nil
	}
	if err != nil {
		t.hub.undecodable.Add(1)
		return Message[T]{}, &DecodeError{ID: m.ID, Channel: r.channel, Payload: r.data, Err: err}
	}
	return m, nil
}

// Message is one message.
type Message[T any] struct {
	// ID is the message's place in a durable topic: see From. Ids grow.
	ID string
	// Channel is the topic's name; with Options.Pattern the name that matched.
	Channel string
	// Event is what Named said.
	Event string
	// Data is the message itself.
	Data T
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// pause waits, and tells whether the context still stands.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
