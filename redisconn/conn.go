package redisconn

import (
	"context"
	"time"

	"github.com/larder-go/larder/conn"
)

// closeGrace is how long Close lets connections end in good order.
const closeGrace = 500 * time.Millisecond

// Conn is a handle on one Redis or Valkey server, cluster or monitored master.
type Conn struct {
	life  *life
	plain *client
	track *tracker  // nil where the server cannot track
	topo  *topology // nil where there is one node
	caps  conn.Capabilities
}

var _ conn.Conn = (*Conn)(nil)

// Do sends one command and waits for its reply.
func (c *Conn) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	return c.plain.do(ctx, cmd)
}

// Pipeline sends several commands in one round trip per node. MULTI is allowed
// if EXEC follows in the same call; in a cluster its keys must lie in one slot.
func (c *Conn) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return c.plain.pipeline(ctx, cmds)
}

// Eval runs a script.
func (c *Conn) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return c.plain.eval(ctx, s, keys, args)
}

// EvalEach runs a script once per call.
func (c *Conn) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return c.plain.evalEach(ctx, s, calls)
}

// Scan walks the keyspace of every master.
func (c *Conn) Scan(ctx context.Context, pattern string, fn func(keys []string) error) error {
	return c.plain.scan(ctx, pattern, fn)
}

// Subscribe receives messages over a connection of its own until ctx ends or
// the connection is lost.
func (c *Conn) Subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	return c.plain.subscribe(ctx, s, fn)
}

// Tracker returns the part that reads over tracking connections.
func (c *Conn) Tracker() (conn.Tracker, bool) {
	if c.track == nil {
		return nil, false
	}
	return c.track, true
}

// Incarnation names the life of the node that holds key, as its last heartbeat
// told it. It is not known while one of the connections to the node is lost, or
// knows another life than the others do, and where the nodes of a cluster disagree
// about the key's slot.
func (c *Conn) Incarnation(key string) (id uint64, known bool) {
	if c.topo != nil {
		return c.topo.incarnation(slotOf(key))
	}
	if c.track == nil {
		return agreed(c.plain.gate)
	}
	var gates [1 + MaxReadWires]*gate // does not allocate
	gates[0] = c.plain.gate
	for i, s := range c.track.shards {
		gates[1+i] = s.gate
	}
	return agreed(gates[:1+len(c.track.shards)]...)
}

// Capabilities tells what the server can do.
func (c *Conn) Capabilities() conn.Capabilities { return c.caps }

// Close ends all connections. Calls in flight, blocking commands and
// subscriptions return conn.ErrClosed. It takes at most about a second where
// the server does not answer, and must not be called by a listener.
func (c *Conn) Close() error {
	if c.life.end() {
		c.shut()
	}
	return nil
}

// shut releases what the Conn holds; the life has ended.
func (c *Conn) shut() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c.plain != nil {
			c.plain.close()
		}
		if c.track != nil {
			c.track.close()
		}
	}()
	c.life.drain(closeGrace)
	<-done
	if c.track != nil {
		for _, s := range c.track.shards {
			s.epoch.Advance()
		}
		c.track.hub.close()
	}
	c.life.finish()
}
