package gateway

import (
	"context"
	"errors"
	"strings"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/slot"
)

var errNoNodes = errors.New("no master of the cluster is known")

// everywhere has a command executed by every master of a cluster, one after the
// other, and join put the replies together. Elsewhere it does nothing.
func (p *planner) everywhere(r *row, join func([]conn.Value) conn.Value) {
	g := p.g
	if g.nodes == nil {
		return
	}
	cmd := conn.Command{Args: r.args}
	r.differ().alone = func(ctx context.Context) (conn.Value, error) {
		nodes := g.nodes.Nodes()
		if len(nodes) == 0 {
			return conn.Value{}, &conn.Error{Op: cmd.Name(), Err: errNoNodes}
		}
		replies := make([]conn.Value, 0, len(nodes))
		for _, node := range nodes {
			v, err := g.nodes.DoAt(ctx, node, cmd)
			if err != nil {
				return conn.Value{}, err
			}
			replies = append(replies, v)
		}
		return join(replies), nil
	}
}

// sameEverywhere is for commands to which all give the same answer.
func sameEverywhere(replies []conn.Value) conn.Value { return replies[0] }

func sum(replies []conn.Value) conn.Value {
	total := conn.Value{Kind: conn.Int}
	for _, v := range replies {
		total.Int += v.Int
	}
	return total
}

func concatenated(replies []conn.Value) conn.Value {
	all := conn.Value{Kind: conn.Array}
	for _, v := range replies {
		all.Elems = append(all.Elems, v.Elems...)
	}
	return all
}

func prepareKeys(p *planner, r *row) { p.everywhere(r, concatenated) }

func prepareSum(p *planner, r *row) { p.everywhere(r, sum) }

func prepareFlush(p *planner, r *row) { p.everywhere(r, sameEverywhere) }

func prepareFunction(p *planner, r *row) {
	switch strings.ToUpper(r.args[1]) {
	case "KILL":
		r.fail(&conn.ServerError{Text: textNotBusy})
	case "LOAD", "DELETE", "FLUSH", "RESTORE":
		p.everywhere(r, sameEverywhere)
	}
}

// bySlot groups the arguments of r, width at a time, by the slots of their first.
// at are the groups of the items in their order.
func bySlot(r *row, width int) (groups []conn.Command, at []int) {
	index := make(map[uint16]int)
	for i := 1; i+width <= len(r.args); i += width {
		s := slot.Of(r.args[i])
		j, ok := index[s]
		if !ok {
			j = len(groups)
			index[s] = j
			groups = append(groups, conn.Command{Args: []string{r.args[0]}, KeyAt: 1})
		}
		groups[j].Args = append(groups[j].Args, r.args[i:i+width]...)
		at = append(at, j)
	}
	return groups, at
}

// failed is the first error among results.
func failed(results []conn.Result) error {
	for _, res := range results {
		if res.Err != nil {
			return res.Err
		}
	}
	return nil
}

// spreadMGet reads each slot's keys by themselves.
func spreadMGet(r *row) {
	groups, at := bySlot(r, 1)
	r.differ().spread = groups
	r.gather = func(results []conn.Result) (conn.Value, error) {
		if err := failed(results); err != nil {
			return conn.Value{}, err
		}
		all := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(at))}
		for i, j := range at {
			if rest := results[j].Value.Elems; len(rest) > 0 {
				all.Elems[i], results[j].Value.Elems = rest[0], rest[1:]
			}
		}
		return all, nil
	}
}

// spreadMSet writes each slot's keys by themselves; it is not atomic across them.
func spreadMSet(r *row) {
	if len(r.args)%2 == 0 {
		r.fail(wrongArity("mset"))
		return
	}
	r.differ().spread, _ = bySlot(r, 2)
	r.gather = func(results []conn.Result) (conn.Value, error) { return okay(), failed(results) }
}

// spreadSum is for commands that count keys.
func spreadSum(r *row) {
	r.differ().spread, _ = bySlot(r, 1)
	r.gather = func(results []conn.Result) (conn.Value, error) {
		if err := failed(results); err != nil {
			return conn.Value{}, err
		}
		total := conn.Value{Kind: conn.Int}
		for _, res := range results {
			total.Int += res.Value.Int
		}
		return total, nil
	}
}
