package gateway

import (
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// drainTimeout is how long Close lets a stream send what waits for it.
const drainTimeout = 2 * time.Second

// opStream marks the errors whose text clients may read.
const opStream = "stream"

var (
	errClosing      = &conn.Error{Op: opStream, Err: errors.New("the gateway is shutting down")}
	errManyStreams  = &conn.Error{Op: opStream, Err: errors.New("too many streams")}
	errManyTopics   = &conn.Error{Op: opStream, Err: errors.New("too many channels and patterns")}
	errNotConfirmed = &conn.Error{Op: opStream, Err: errors.New("the subscription was not confirmed in time")}
)

// topicKey is what a stream listens to.
type topicKey struct {
	verb string // subscribe, psubscribe or monitor
	name string // of the channel or pattern; empty for monitor
}

// hub shares subscriptions: there is one to Redis for each topic, however many
// streams listen to it.
type hub struct {
	g       *Gateway
	done    chan struct{} // closed by close
	topicWG sync.WaitGroup
	readers sync.WaitGroup // streams that have joined

	mu      sync.Mutex // protects the following
	closed  bool
	topics  map[topicKey]*topic
	streams map[*stream]struct{}
}

func newHub(g *Gateway) *hub {
	return &hub{
		g: g, done: make(chan struct{}),
		topics: make(map[topicKey]*topic), streams: make(map[*stream]struct{}),
	}
}

func (h *hub) closing() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// join lets s listen; leave must follow if there is no error.
func (h *hub) join(key topicKey, s *stream) (*topic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errClosing
	case len(h.streams) >= h.g.opts.MaxStreams:
		return nil, errManyStreams
	}
	t := h.topics[key]
	if t == nil {
		if len(h.topics) >= h.g.opts.MaxTopics {
			return nil, errManyTopics
		}
		t = newTopic(h, key)
		h.topics[key] = t
		h.topicWG.Go(t.run)
	}
	h.streams[s] = struct{}{}
	h.readers.Add(1)
	h.g.counters.streams.Add(1)
	h.g.counters.open.Add(1)
	t.add(s)
	return t, nil
}

// leave ends what join began, and the topic if nobody else listens to it.
func (h *hub) leave(t *topic, s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
	h.g.counters.open.Add(-1)
	if t.remove(s) == 0 {
		h.endLocked(t)
	}
	h.readers.Done()
}

func (h *hub) endLocked(t *topic) {
	if h.topics[t.key] == t {
		delete(h.topics, t.key)
	}
	t.cancel()
}

// end forgets a topic that has failed, so that the next stream tries again.
func (h *hub) end(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endLocked(t)
}

func (h *hub) close() {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.done)
		for s := range h.streams {
			s.hurry()
		}
	}
	h.mu.Unlock()
	h.readers.Wait()
	h.topicWG.Wait()
}
