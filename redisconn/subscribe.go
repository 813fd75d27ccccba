package redisconn

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

const opSubscribe = "subscribe"

var (
	errSubscription = errors.New("redisconn: subscribe: set exactly one of Channels, Patterns and Sharded")
	errUnsubscribed = errors.New("the server ended the subscription")
)

// subscribe listens over a connection of its own: on a shared one a slow fn
// would hold up everybody's replies.
func (c *client) subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	cmd, names, err := c.subscription(s)
	if err != nil {
		return err
	}
	bound, release := c.life.bind(ctx)
	defer release()
	dedicated, err := c.dedicate(bound)
	if err != nil {
		return c.unsubscribed(ctx, err)
	}
	defer c.life.do(dedicated.Close) // may wait for a silent server

	err = dedicated.Receive(c.confirming(bound, names, s.Ready), cmd, func(m rueidis.PubSubMessage) {
		fn(conn.Message{Pattern: m.Pattern, Channel: m.Channel, Payload: m.Message})
	})
	return c.unsubscribed(ctx, err)
}

// subscription checks s and builds its command.
func (c *client) subscription(s conn.Subscription) (cmd rueidis.Completed, names int, err error) {
	names = len(s.Channels) + len(s.Patterns) + len(s.Sharded)
	switch names {
	case 0:
		return cmd, 0, errSubscription
	case len(s.Channels):
		return c.rc.B().Subscribe().Channel(s.Channels...).Build(), names, nil
	case len(s.Patterns):
		return c.rc.B().Psubscribe().Pattern(s.Patterns...).Build(), names, nil
	case len(s.Sharded):
		if c.cluster && !oneSlot(s.Sharded) {
			return cmd, 0, errSlots
		}
		return c.rc.B().Ssubscribe().Channel(s.Sharded...).Build(), names, nil
	}
	return cmd, 0, errSubscription
}

// confirming returns a context with which Receive calls ready when the server
// has confirmed all names; on a goroutine of its own, as the connection is not
// read while a hook runs.
func (c *client) confirming(ctx context.Context, names int, ready func()) context.Context {
	if ready == nil {
		return ctx
	}
	var confirmed atomic.Int64
	return rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
		switch s.Kind {
		case "subscribe", "psubscribe", "ssubscribe":
			if confirmed.Add(1) == int64(names) {
				c.life.do(ready)
			}
		}
	})
}

// dedicate takes a connection from the pool. The library dials without regard
// to a context, so that this happens on another goroutine.
func (c *client) dedicate(ctx context.Context) (rueidis.DedicatedClient, error) {
	taken := make(chan rueidis.DedicatedClient)
	c.life.do(func() {
		d, _ := c.rc.Dedicate()
		select {
		case taken <- d:
		case <-ctx.Done():
			d.Close()
		}
	})
	select {
	case d := <-taken:
		return d, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unsubscribed says why a subscription has ended.
func (c *client) unsubscribed(ctx context.Context, err error) error {
	var re *rueidis.RedisError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		err = errUnsubscribed
	case errors.As(err, &re) && !c.life.over.Load():
		return &conn.ServerError{Text: fullText(re)}
	}
	return c.fail(ctx, opSubscribe, err)
}
