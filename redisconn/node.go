package redisconn

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/conn"
)

var _ conn.NodeDoer = (*Conn)(nil)

var errNodeGone = errors.New("the node is not a master of the cluster any more")

// Nodes names the masters, in a cluster by their addresses.
func (c *Conn) Nodes() []string {
	if c.topo == nil {
		return []string{c.plain.gate.addr}
	}
	known := c.topo.table.Load().nodes
	names := make([]string, len(known))
	for i, n := range known {
		names[i] = n.addr
	}
	slices.Sort(names)
	return names
}

// DoAt sends one command to the node of that name.
func (c *Conn) DoAt(ctx context.Context, node string, cmd conn.Command) (conn.Value, error) {
	completed, blocking, err := c.plain.build(cmd, false)
	switch {
	case err != nil:
		return conn.Value{}, err
	case blocking:
		return conn.Value{}, errors.New("redisconn: " + cmd.Name() + " is refused: DoAt does not wait")
	}
	g, rc := c.plain.gate, c.plain.rc
	if c.topo != nil {
		g, rc = nil, nil
		for _, n := range c.topo.table.Load().nodes {
			if n.addr == node {
				g = n.gates[c.plain.no]
				rc = g.executor()
			}
		}
		switch {
		case g == nil:
			return conn.Value{}, &conn.Error{Op: cmd.Name(), Err: errNodeGone}
		case rc == nil:
			return conn.Value{}, g.refusal(cmd.Name())
		}
	}
	return c.plain.send(ctx, cmd.Name(), g, rc, completed)
}
