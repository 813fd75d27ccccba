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
// would hold up everybody's replies. It fails at once where the shared one is known
// to be lost.
func (c *client) subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	cmd, names, err := c.subscription(s)
	if err != nil {
		return err
	}
	if g, _ := c.route(first(s.Sharded), len(s.Sharded) > 0); !g.open() {
		return g.refusal(opSubscribe)
	}
	bound, release := c.life.bind(ctx)
	defer release()
	own, err := c.receiver(bound, first(s.Channels))
	if err != nil {
		return c.unsubscribed(ctx, err)
	}
	defer c.life.do(own.close) // may wait for a silent server

	err = own.Receive(c.confirming(dialling(bound, dialAlone), names, s.Ready), cmd, func(m rueidis.PubSubMessage) {
		fn(conn.Message{Pattern: m.Pattern, Channel: m.Channel, Payload: m.Message})
	})
	return c.unsubscribed(ctx, err)
}

// receiver is what a subscription goes over.
type receiver struct {
	rueidis.CoreClient
	close func()
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

// receiver opens a connection for one subscription. The library dials without
// regard to a context, so that this happens on another goroutine.
//
// In a cluster a channel is listened to at the node of its slot, if that is
// known: PUBLISH with the channel as its key goes there too, and then tells how
// many listen.
func (c *client) receiver(ctx context.Context, channel string) (receiver, error) {
	target := c.wire.target
	if c.cluster {
		g, _ := c.route(channel, true)
		if channel == "" || g == nil || g == c.uncovered { // connects in Receive, with its context
			d, _ := c.rc.Dedicate()
			return receiver{d, d.Close}, nil
		}
		target.cluster, target.addrs = false, []string{g.addr}
	}
	type outcome struct {
		own *client
		err error
	}
	opened := make(chan outcome)
	c.life.do(func() {
		w := *c.wire
		w.gates, w.opened, w.lost = nil, nil, nil
		w.target = target
		own, err := connect(&w, false, nil)
		select {
		case opened <- outcome{own, err}:
		case <-ctx.Done():
			if err == nil {
				own.close()
			}
		}
	})
	select {
	case o := <-opened:
		if o.err != nil {
			return receiver{}, o.err
		}
		return receiver{o.own.rc, o.own.close}, nil
	case <-ctx.Done():
		return receiver{}, ctx.Err()
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
