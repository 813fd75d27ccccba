package cachetest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) subscriptions(t *testing.T) {
	c, other := s.handle(t), s.handle(t)
	publish := func(t *testing.T, verb, channel, payload string) {
		t.Helper()
		must(t, other, conn.Key(verb, channel, payload)) // in a cluster, always by the same node
	}
	a, b := key("a"), key("b")
	// Over REST each channel is a stream of its own, whose lines carry payloads.
	rest := c.Capabilities().Server == "upstash"
	t.Run("exact", func(t *testing.T) {
		if rest {
			sub := subscribe(t, c, conn.Subscription{Channels: []string{a, b}})
			publish(t, "PUBLISH", a, "1,2")
			sub.want(t, conn.Message{Channel: a, Payload: "1,2"})
			publish(t, "PUBLISH", key("other"), "no")
			publish(t, "PUBLISH", b, "\x00\xff")
			sub.want(t, conn.Message{Channel: b, Payload: "\x00\xff"})
			sub.cancelled(t)
			return
		}
		sub := subscribe(t, c, conn.Subscription{Channels: []string{a, b}})
		publish(t, "PUBLISH", a, "1")
		publish(t, "PUBLISH", key("other"), "no")
		publish(t, "PUBLISH", b, "\x00\r\n2")
		sub.want(t, conn.Message{Channel: a, Payload: "1"}, conn.Message{Channel: b, Payload: "\x00\r\n2"})
		sub.cancelled(t)
	})
	t.Run("pattern", func(t *testing.T) {
		sub := subscribe(t, c, conn.Subscription{Patterns: []string{a + ":*"}})
		publish(t, "PUBLISH", a, "no")
		publish(t, "PUBLISH", a+":x", "1")
		sub.want(t, conn.Message{Pattern: a + ":*", Channel: a + ":x", Payload: "1"})
		sub.cancelled(t)
	})
	t.Run("sharded", func(t *testing.T) {
		if rest {
			err := c.Subscribe(soon(t), conn.Subscription{Sharded: []string{a}}, func(conn.Message) {})
			if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, conn.ErrUnavailable) {
				t.Errorf("got %v, want a refusal", err)
			}
			return
		}
		sub := subscribe(t, c, conn.Subscription{Sharded: []string{a}})
		publish(t, "SPUBLISH", a, "1")
		sub.want(t, conn.Message{Channel: a, Payload: "1"})
		sub.cancelled(t)
	})
	t.Run("many messages in order", func(t *testing.T) {
		a := key("own") // a cluster's nodes pass messages on in their own time
		sub := subscribe(t, c, conn.Subscription{Channels: []string{a}})
		const n = 500
		for i := range n {
			publish(t, "PUBLISH", a, strconv.Itoa(i))
		}
		for i := range n {
			sub.want(t, conn.Message{Channel: a, Payload: strconv.Itoa(i)})
		}
		sub.cancelled(t)
	})
	t.Run("two at a time", func(t *testing.T) {
		a := key("own") // a cluster's nodes pass messages on in their own time
		first := subscribe(t, c, conn.Subscription{Channels: []string{a}})
		second := subscribe(t, c, conn.Subscription{Channels: []string{a}})
		publish(t, "PUBLISH", a, "1")
		first.want(t, conn.Message{Channel: a, Payload: "1"})
		second.want(t, conn.Message{Channel: a, Payload: "1"})
		first.cancelled(t)
		publish(t, "PUBLISH", a, "2")
		second.want(t, conn.Message{Channel: a, Payload: "2"})
		second.cancelled(t)
	})
	t.Run("invalid", func(t *testing.T) {
		for _, sub := range []conn.Subscription{{}, {Channels: []string{a}, Patterns: []string{a}}} {
			if err := c.Subscribe(soon(t), sub, func(conn.Message) {}); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v: %v", sub, err)
			}
		}
	})
	t.Run("ended context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := c.Subscribe(ctx, conn.Subscription{Channels: []string{a}}, func(conn.Message) {})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// running is a subscription in the background.
type running struct {
	messages chan conn.Message
	done     chan error
	cancel   func()
	over     atomic.Bool
}

// subscribe starts a subscription and waits until it is ready.
func subscribe(t *testing.T, c conn.Subscriber, s conn.Subscription) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{messages: make(chan conn.Message, 1000), done: make(chan error, 1), cancel: cancel}
	ready := make(chan struct{}, 2)
	s.Ready = func() { ready <- struct{}{} }
	go func() {
		err := c.Subscribe(ctx, s, func(m conn.Message) {
			if r.over.Load() {
				t.Error("fn was called after Subscribe had returned")
			}
			r.messages <- m
		})
		r.over.Store(true)
		r.done <- err
	}()
	timely := make(chan struct{})
	go func() {
		defer close(timely)
		select {
		case <-ready:
		case err := <-r.done:
			r.done <- err
		}
	}()
	next(t, timely, "Ready")
	if len(r.done) > 0 {
		t.Fatalf("Subscribe: %v", <-r.done)
	}
	if len(ready) > 0 {
		t.Error("Ready was called twice")
	}
	t.Cleanup(func() { cancel() })
	return r
}

func (r *running) want(t *testing.T, messages ...conn.Message) {
	t.Helper()
	for _, m := range messages {
		if got := next(t, r.messages, "a message"); got != m {
			t.Fatalf("got %+v, want %+v", got, m)
		}
	}
}

// cancelled ends the subscription's context.
func (r *running) cancelled(t *testing.T) {
	t.Helper()
	r.cancel()
	if err := next(t, r.done, "Subscribe to return"); !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe returned %v, want %v", err, context.Canceled)
	}
	if len(r.messages) > 0 {
		t.Errorf("unexpected %+v", <-r.messages)
	}
}
