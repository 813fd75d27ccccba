package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// heartbeat is a comment, which clients skip.
const heartbeat = ": ping\n\n"

// stream is one client that listens.
type stream struct {
	hub  *hub
	ctl  *http.ResponseController
	wake chan struct{} // has room for one

	mu    sync.Mutex // protects the following
	queue [][]byte
	bytes int
	slow  bool
	rush  time.Time // when a stream that Close ends must be done; zero before
}

// offer queues an event. A client that is too far behind is cut off: neither its
// backlog nor its connection may grow without bound.
func (s *stream) offer(event []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slow {
		return
	}
	if s.bytes += len(event); s.bytes > s.hub.g.opts.MaxLag && len(s.queue) > 0 {
		s.slow, s.queue = true, nil
		s.hub.g.counters.slow.Add(1)
		_ = s.ctl.SetWriteDeadline(time.Now()) // it may be in the middle of a write
	} else {
		s.queue = append(s.queue, event)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) take() (queue [][]byte, slow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue, s.queue, s.bytes = s.queue, nil, 0
	return queue, s.slow
}

// hurry bounds the write under way and those to come.
func (s *stream) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rush = time.Now().Add(drainTimeout)
	_ = s.ctl.SetWriteDeadline(s.rush)
}

// allow sets how long the next write may take.
func (s *stream) allow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := time.Now().Add(d)
	if !s.rush.IsZero() {
		until = s.rush
	}
	if !s.slow {
		_ = s.ctl.SetWriteDeadline(until)
	}
}

// stream answers /subscribe, /psubscribe and /monitor.
func (x *exchange) stream(verb, escaped string) {
	x.endpoint, x.commands = toStream, 1
	key := topicKey{verb: verb}
	if verb != "monitor" {
		var err error
		if key.name, err = topicName(escaped, x.r.URL.RawQuery); err != nil {
			x.failed(err)
			return
		}
	}
	switch {
	case verb != "monitor" && key.name == "", verb == "monitor" && escaped != "":
		x.failed(wrongArity(verb))
		return
	case verb != "subscribe" && x.role == reader:
		x.failed(notPermitted(verb))
		return
	}
	// Clients send an empty array along, which is no channel. It has to be read
	// before net/http can tell when they go.
	body := borrow()
	err := x.g.readBody(x.w, x.r, body)
	body.giveBack()
	if err != nil {
		x.failed(err)
		return
	}
	s := &stream{hub: x.g.hub, ctl: http.NewResponseController(x.w), wake: make(chan struct{}, 1)}
	t, err := x.g.hub.join(key, s)
	if err != nil {
		x.failed(err)
		return
	}
	defer x.g.hub.leave(t, s)
	if err := x.confirmed(t); err != nil {
		x.failed(err)
		return
	}
	x.listen(t, s)
}

// confirmed waits until Redis has confirmed the topic.
func (x *exchange) confirmed(t *topic) error {
	ctx, cancel := context.WithTimeout(x.r.Context(), x.g.opts.Timeout)
	defer cancel()
	select {
	case <-t.ready:
		return nil
	case <-t.failed:
		return t.err
	case <-x.g.hub.done:
		return errClosing
	case <-ctx.Done():
		return errNotConfirmed
	}
}

// listen sends events until the client goes or is cut off, or the hub closes.
func (x *exchange) listen(t *topic, s *stream) {
	h := x.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no") // for nginx in front
	h.Set(headerSync, x.g.syncToken())
	x.status = http.StatusOK
	x.w.WriteHeader(x.status)
	if x.r.Method == http.MethodHead {
		return
	}
	var first []byte
	if t.key.verb == "monitor" {
		first = appendEvent(nil, `"OK"`)
	} else {
		first = appendEvent(nil, t.key.verb, t.key.name, "1")
	}
	if !x.push(s, first) {
		return
	}
	timer := time.NewTimer(x.g.opts.Heartbeat)
	defer timer.Stop()
	for {
		var events [][]byte
		over, slow := false, false
		select {
		case <-x.r.Context().Done():
			return
		case <-timer.C:
			events = [][]byte{[]byte(heartbeat)}
		case <-s.wake:
			events, slow = s.take()
		case <-t.failed:
			over = true
		case <-x.g.hub.done:
			over = true
		}
		if over {
			events, slow = s.take()
		} else {
			timer.Reset(x.g.opts.Heartbeat)
		}
		if slow || !x.push(s, events...) || over {
			return
		}
	}
}

// push sends events and tells whether the client took them.
func (x *exchange) push(s *stream, events ...[]byte) bool {
	if len(events) == 0 {
		return true
	}
	s.allow(x.g.opts.BodyTimeout)
	for _, e := range events {
		n, err := x.w.Write(e)
		if x.written += n; err != nil {
			return false
		}
	}
	x.g.counters.messages.Add(uint64(len(events)))
	return s.ctl.Flush() == nil
}

// appendEvent appends fields as one event. A line end within them would end the
// event and could forge another; it becomes a space.
func appendEvent(b []byte, fields ...string) []byte {
	b = append(b, "data: "...)
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		start := len(b)
		b = append(b, f...)
		for j := start; j < len(b); j++ {
			if b[j] == '\n' || b[j] == '\r' {
				b[j] = ' '
			}
		}
	}
	return append(b, "\n\n"...)
}
