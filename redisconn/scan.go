package redisconn

import (
	"context"
	"errors"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

// scanCount is the number of keys that one SCAN looks at.
const scanCount = "512"

var errScanReply = errors.New("the reply to SCAN is not a cursor and a list of keys")

// scan walks every master in turn. Keys may be deleted by fn. While a cluster
// moves slots, keys that move can be missed.
func (c *client) scan(ctx context.Context, pattern string, fn func(keys []string) error) error {
	if !c.cluster {
		return c.scanNode(ctx, c.gate, c.rc, pattern, fn)
	}
	for _, n := range c.topo.table.Load().nodes {
		g := n.gates[c.no]
		rc := g.executor()
		if rc == nil {
			return g.refusal("SCAN")
		}
		if err := c.scanNode(ctx, g, rc, pattern, fn); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) scanNode(ctx context.Context, g *gate, node rueidis.Client, pattern string, fn func(keys []string) error) error {
	for cursor := "0"; ; {
		cmd := node.B().Arbitrary("SCAN", cursor, "MATCH", pattern, "COUNT", scanCount).Build()
		v, err := c.send(ctx, "SCAN", g, node, cmd)
		if err != nil {
			return err
		}
		if len(v.Elems) != 2 || v.Elems[1].Kind != conn.Array {
			return &conn.Error{Op: "SCAN", Err: errScanReply}
		}
		if found := v.Elems[1].Elems; len(found) > 0 {
			keys := make([]string, len(found))
			for i := range found {
				keys[i] = found[i].Str
			}
			if err := fn(keys); err != nil {
				return err
			}
		}
		if cursor = v.Elems[0].Str; cursor == "0" {
			return nil
		}
	}
}
