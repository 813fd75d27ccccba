package keyspace

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/larder-go/larder/conn"
)

// ErrGone says that the node a walk had reached is no longer there.
var ErrGone = errors.New("keyspace: the node that the search had reached has left the cluster; begin again")

var errReply = errors.New("keyspace: the server answered in an unknown form")

// place is where a walk stands: a node, "" where there is only one, and the cursor
// of its SCAN.
type place struct {
	node   string
	cursor string
}

// begin is where a walk begins.
func begin(c conn.Conn) place {
	p := place{cursor: "0"}
	if nodes := nodesOf(c); len(nodes) > 0 {
		p.node = nodes[0]
	}
	return p
}

// nodesOf lists the nodes of a cluster, and none where there is no cluster.
func nodesOf(c conn.Conn) []string {
	if nd, ok := c.(conn.NodeDoer); ok && c.Capabilities().Cluster {
		return nd.Nodes()
	}
	return nil
}

// scan makes one step and returns where the next begins; done after the last.
func scan(ctx context.Context, c conn.Conn, at place, pattern string, count int) (keys []conn.Value, next place, done bool, err error) {
	args := []string{"SCAN", at.cursor}
	if pattern != "" {
		args = append(args, "MATCH", pattern)
	}
	v, err := at.do(ctx, c, conn.Cmd(args[0], append(args[1:], "COUNT", strconv.Itoa(count))...))
	if err != nil {
		return nil, at, false, err
	}
	if len(v.Elems) != 2 {
		return nil, at, false, errReply
	}
	if keys, err = v.Elems[1].List(); err != nil {
		return nil, at, false, errReply
	}
	next = place{node: at.node, cursor: v.Elems[0].Str}
	if next.cursor != "0" {
		return keys, next, false, nil
	}
	nodes := nodesOf(c)
	i := slices.Index(nodes, at.node)
	if i < 0 || i+1 == len(nodes) {
		return keys, begin(c), true, nil
	}
	return keys, place{node: nodes[i+1], cursor: "0"}, false, nil
}

// do executes a command without a key where the walk stands.
func (p place) do(ctx context.Context, c conn.Conn, cmd conn.Command) (conn.Value, error) {
	if p.node == "" {
		return c.Do(ctx, cmd)
	}
	nd, ok := c.(conn.NodeDoer)
	if !ok || !slices.Contains(nd.Nodes(), p.node) {
		return conn.Value{}, ErrGone
	}
	return nd.DoAt(ctx, p.node, cmd)
}

// size is the number of keys of all nodes.
func size(ctx context.Context, c conn.Conn) (n int64, err error) {
	nodes := nodesOf(c)
	if len(nodes) == 0 {
		nodes = []string{""}
	}
	for _, node := range nodes {
		v, err := place{node: node}.do(ctx, c, conn.Cmd("DBSIZE"))
		if err != nil {
			return 0, err
		}
		m, err := v.Int64()
		if err != nil {
			return 0, errReply
		}
		n += m
	}
	return n, nil
}
