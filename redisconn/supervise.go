package redisconn

import (
	"context"
	"log/slog"
	"time"

	"github.com/larder-go/larder/conn"
)

// supervise sends the first heartbeats and then starts the goroutines that look
// after the connections. From then on callers do not dial.
func (c *Conn) supervise(ctx context.Context, o Options) error {
	if c.plain.cluster {
		c.topo = &topology{life: c.life, opts: o, clients: c.clients(), nodes: make(map[string]*node)}
		if err := c.topo.start(ctx); err != nil {
			return err
		}
		for i, client := range c.clients() {
			client.no, client.topo = i, c.topo
		}
		c.own(c.topo.watch)
	} else {
		for _, client := range c.clients() {
			k := &keeper{gate: client.gate, opts: o, rc: client.self, changed: client.changed, heard: client.heard}
			if err := k.beat(ctx); err != nil {
				return err
			}
			c.own(k.keep)
		}
	}
	if id := c.plain.gates.all()[0].id.Load(); id == 0 {
		o.Logger.LogAttrs(ctx, slog.LevelWarn, "redisconn: the server does not say as a master who it is (INFO); nothing read from it is kept in the process",
			slog.String("addr", c.plain.gates.all()[0].addr))
	}
	c.life.ready.Store(true)
	c.own(func(ctx context.Context) { c.watch(ctx, o) })
	return nil
}

// own runs fn on a goroutine that Close waits for; its context ends first.
func (c *Conn) own(fn func(ctx context.Context)) {
	ctx, release := c.life.bind(context.Background())
	c.life.do(func() {
		defer release()
		fn(ctx)
	})
}

// clients are all whose connections are shared, the plain one first.
func (c *Conn) clients() []*client {
	list := []*client{c.plain}
	if c.track != nil {
		for _, s := range c.track.shards {
			list = append(list, s.client)
		}
	}
	return list
}

// watches is how often the watcher looks within SilenceTimeout.
const watches = 10

// watch looks for silent connections.
func (c *Conn) watch(ctx context.Context, o Options) {
	interval := max(o.SilenceTimeout/watches, time.Millisecond)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	clients := c.clients()
	for last := conn.Uptime(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := conn.Uptime()
		late := now-last > o.SilenceTimeout*3/4
		last = now
		if late { // it was this process that stood still: answers may lie unread
			continue
		}
		for _, client := range clients {
			for _, g := range client.gates.all() {
				g.look(now, o)
			}
		}
	}
}
