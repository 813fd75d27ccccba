package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/conn"
)

var (
	errSubscription = errors.New("embedded: Subscription: exactly one of Channels, Patterns and Sharded must be set")
	errTooSlow      = errors.New("the subscriber fell too far behind and was cut off")
)

// Subscribe calls fn for every message, in the caller's goroutine.
func (c *Conn) Subscribe(ctx context.Context, want conn.Subscription, fn func(conn.Message)) error {
	set := 0
	for _, names := range [][]string{want.Channels, want.Patterns, want.Sharded} {
		if len(names) > 0 {
			set++
		}
	}
	if set != 1 {
		return errSubscription
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.users.enter()
	defer c.users.leave()
	select {
	case <-c.done:
		return conn.ErrClosed
	case <-c.engine.done:
		return conn.ErrClosed
	default:
	}
	for _, names := range []*[]string{&want.Channels, &want.Patterns, &want.Sharded} {
		*names = slices.Compact(slices.Sorted(slices.Values(*names)))
	}
	s := &subscriber{want: want, wake: make(chan struct{}, 1)}
	c.engine.channels.add(s)
	defer c.engine.channels.remove(s)
	if want.Ready != nil {
		want.Ready()
	}
	return c.receive(ctx, s, errTooSlow, fn)
}

// receive hands what s gets to fn until it ends; tooSlow is the error of one that
// fell behind.
func (c *Conn) receive(ctx context.Context, s *subscriber, tooSlow error, fn func(conn.Message)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return conn.ErrClosed
		case <-c.engine.done:
			return conn.ErrClosed
		case <-s.wake:
		}
		queue, lost := s.take()
		for _, m := range queue {
			if ctx.Err() != nil {
				break
			}
			fn(m)
		}
		if lost {
			return &conn.Error{Op: "subscribe", Err: tooSlow}
		}
	}
}
