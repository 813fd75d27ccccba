package gateway

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// scanNodes is the largest number of masters that a cursor can tell apart: the
// cursor of a cluster is the node's own, times scanNodes, plus the node's place.
const scanNodes = 1024

// prepareScan walks a cluster master by master, and answers WITHTYPE, which is
// Upstash's own: keys and types alternate.
func prepareScan(p *planner, r *row) {
	typed := -1
	for i := 2; i < len(r.args); i++ {
		if strings.EqualFold(r.args[i], "WITHTYPE") {
			typed = i
			break
		}
		i++ // the other options have a value
	}
	if typed < 0 && p.g.nodes == nil {
		return
	}
	g, args := p.g, r.args
	if typed >= 0 {
		args = slices.Delete(slices.Clone(args), typed, typed+1)
	}
	r.differ().alone = func(ctx context.Context) (conn.Value, error) {
		v, err := g.scan(ctx, args)
		if err != nil || typed < 0 {
			return v, err
		}
		return g.withTypes(ctx, v)
	}
}

// scan goes on with the next node where one has been walked to its end, until it
// has as many keys as COUNT asks for: clients are not to make a round trip for
// each node that has none.
func (g *Gateway) scan(ctx context.Context, args []string) (conn.Value, error) {
	if g.nodes == nil {
		return g.c.Do(ctx, conn.Command{Args: args})
	}
	nodes := g.nodes.Nodes()
	nodes = nodes[:min(len(nodes), scanNodes)]
	cursor, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return conn.Value{}, &conn.ServerError{Text: "ERR invalid cursor"}
	}
	enough := scanCount(args)
	args = slices.Clone(args)
	var keys []conn.Value
	// The place may be beyond the last node if the cluster has shrunk.
	for at, inner := int(cursor%scanNodes), cursor/scanNodes; at < len(nodes); at, inner = at+1, 0 {
		if at > int(cursor%scanNodes) && len(keys) >= enough {
			return scanned(strconv.Itoa(at), keys), nil
		}
		args[1] = strconv.FormatUint(inner, 10)
		v, err := g.nodes.DoAt(ctx, nodes[at], conn.Command{Args: args})
		if err != nil {
			return v, err
		}
		if len(v.Elems) != 2 {
			return v, &conn.ServerError{Text: "ERR the server's reply to SCAN makes no sense"}
		}
		keys = append(keys, v.Elems[1].Elems...)
		if inner, err = strconv.ParseUint(v.Elems[0].Str, 10, 64); err != nil {
			return v, &conn.ServerError{Text: "ERR the server's cursor is not a number"}
		}
		if inner != 0 {
			return scanned(strconv.FormatUint(inner*scanNodes+uint64(at), 10), keys), nil
		}
	}
	return scanned("0", keys), nil
}

// scanCount is the COUNT of a SCAN.
func scanCount(args []string) int {
	for i := 2; i+1 < len(args); i += 2 {
		if strings.EqualFold(args[i], "COUNT") {
			if n, err := strconv.Atoi(args[i+1]); err == nil {
				return n
			}
		}
	}
	return 10
}

func scanned(cursor string, keys []conn.Value) conn.Value {
	return conn.Value{Kind: conn.Array, Elems: []conn.Value{
		{Kind: conn.Bulk, Str: cursor}, {Kind: conn.Array, Elems: keys},
	}}
}

// withTypes puts the type after each key; keys that are gone are left out.
func (g *Gateway) withTypes(ctx context.Context, v conn.Value) (conn.Value, error) {
	if len(v.Elems) != 2 {
		return v, nil
	}
	keys := v.Elems[1].Elems
	cmds := make([]conn.Command, len(keys))
	for i, k := range keys {
		cmds[i] = conn.Key("TYPE", k.Str)
	}
	results := g.c.Pipeline(ctx, cmds...)
	if err := failed(results); err != nil {
		return conn.Value{}, err
	}
	typed := make([]conn.Value, 0, 2*len(keys))
	for i, res := range results {
		if res.Value.Str != "none" {
			typed = append(typed, keys[i], conn.Value{Kind: conn.Bulk, Str: res.Value.Str})
		}
	}
	return scanned(v.Elems[0].Str, typed), nil
}
