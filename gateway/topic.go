package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// The pauses before a lost subscription is made again.
const (
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

// topic is one subscription to Redis and the streams that get its messages. It
// lives as long as one of them.
type topic struct {
	key    topicKey
	hub    *hub
	ctx    context.Context //nolint:containedctx // of the goroutine that the topic is
	cancel context.CancelFunc
	ready  chan struct{} // closed when Redis has confirmed for the first time
	failed chan struct{} // closed when it never will, or not again
	err    error         // why; to be read after failed

	mu      sync.Mutex // protects the following
	streams map[*stream]struct{}
}

func newTopic(h *hub, key topicKey) *topic {
	t := &topic{
		key: key, hub: h, streams: make(map[*stream]struct{}),
		ready: make(chan struct{}), failed: make(chan struct{}),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *topic) add(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams[s] = struct{}{}
}

// remove returns how many streams are left.
func (t *topic) remove(s *stream) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.streams, s)
	return len(t.streams)
}

// run subscribes, and again when the subscription is lost: streams outlive Redis,
// because the clients do not come back by themselves. If the first attempt fails
// they are told, as nothing has been sent to them yet.
func (t *topic) run() {
	defer t.cancel()
	pause := minPause
	confirmed := false
	for {
		again := false
		err := t.receive(func() {
			if !confirmed {
				confirmed = true
				close(t.ready)
			}
			again = true
		})
		if t.ctx.Err() != nil {
			return
		}
		if !confirmed || errors.Is(err, conn.ErrClosed) {
			t.err = err
			close(t.failed)
			t.hub.end(t)
			return
		}
		t.hub.g.counters.lost.Add(1)
		t.hub.g.opts.Logger.LogAttrs(t.ctx, slog.LevelWarn, "gateway: a subscription is lost; messages are missed until it is made again",
			slog.String("verb", t.key.verb), slog.Any("error", err))
		if pause = min(2*pause, maxPause); again {
			pause = minPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-t.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// receive is one subscription. ready is called on another goroutine, but never
// after receive has returned.
func (t *topic) receive(ready func()) error {
	var once sync.Mutex
	over := false
	guarded := func() {
		once.Lock()
		defer once.Unlock()
		if !over {
			ready()
		}
	}
	defer func() {
		once.Lock()
		defer once.Unlock()
		over = true
	}()
	c := t.hub.g.c
	switch t.key.verb {
	case "monitor":
		m, ok := c.(conn.Monitorer)
		if !ok {
			return notAvailable("MONITOR")
		}
		return m.Monitor(t.ctx, guarded, func(line string) { t.publish(line) })
	case "psubscribe":
		return c.Subscribe(t.ctx, conn.Subscription{Patterns: []string{t.key.name}, Ready: guarded}, func(m conn.Message) {
			t.publish("pmessage", m.Pattern, m.Channel, m.Payload)
		})
	}
	return c.Subscribe(t.ctx, conn.Subscription{Channels: []string{t.key.name}, Ready: guarded}, func(m conn.Message) {
		t.publish("message", m.Channel, m.Payload)
	})
}

// publish hands an event to all streams, which share its bytes.
func (t *topic) publish(fields ...string) {
	event := appendEvent(nil, fields...)
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.streams {
		s.offer(event)
	}
}
