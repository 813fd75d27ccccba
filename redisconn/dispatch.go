package redisconn

import (
	"context"
	"errors"

	"github.com/larder-go/larder/conn"
)

// dispatch sends a group in one round trip per node, without what a gate
// refuses; op names a command by its index.
func (c *client) dispatch(ctx context.Context, g *group, op func(i int) string, results []conn.Result) {
	if len(g.built) == 0 {
		return
	}
	rc := g.rc
	if rc == nil {
		rc = c.rc
	}
	first := c.gate
	if c.topo != nil {
		first = g.gates[0]
	}
	if w := first.watch(); w != nil { // of a pipeline to several nodes the first stands for all
		var end func(error)
		ctx, end = w.begin(ctx, op(g.at[0]), len(g.at))
		at := g.at
		defer func() { end(firstFailure(results, at)) }()
	}
	bound := called(ctx)
	var in admitted
	if g.blocks {
		var release func()
		bound, release = c.life.bind(ctx) // the library does not end these when it is closed
		defer release()
		bound = dialling(bound, dialAlone)
		in.look = true
	}
	built, at := g.built, g.at
	if c.topo != nil {
		built, at = built[:0:0], at[:0:0]
	}
	for j, i := range g.at {
		gate := c.gate
		if c.topo != nil {
			gate = g.gates[j]
		} else if j > 0 {
			break
		}
		if err := in.admit(ctx, gate, op(i)); err == nil {
			if c.topo != nil {
				built, at = append(built, g.built[j]), append(at, i)
			}
		} else if c.topo != nil {
			results[i].Err = renamed(err, op(i))
		} else {
			for _, i := range g.at {
				results[i].Err = renamed(err, op(i))
			}
			return
		}
	}
	if len(built) == 0 {
		return
	}
	var failure error
	for j, res := range rc.DoMulti(bound, built...) {
		i := at[j]
		if err := res.NonRedisError(); err != nil {
			failure = err
		}
		results[i].Value, results[i].Err = c.reply(ctx, op(i), res)
	}
	in.leave(failure)
}

// admitted is the gates that a group has passed or was refused by.
type admitted struct {
	gates []*gate
	errs  []error
	look  bool // do not enter: the group goes over a connection of its own
}

func (a *admitted) admit(ctx context.Context, g *gate, op string) error {
	for i, seen := range a.gates {
		if seen == g {
			return a.errs[i]
		}
	}
	var err error
	switch {
	case !a.look:
		err = g.enter(ctx, op)
	case !g.open():
		err = g.refusal(op)
	}
	a.gates, a.errs = append(a.gates, g), append(a.errs, err)
	return err
}

func (a *admitted) leave(err error) {
	for i, g := range a.gates {
		if a.errs[i] == nil && !a.look {
			g.leave(err)
		}
	}
}

// renamed is err as the error of the command op.
func renamed(err error, op string) error {
	if ce, ok := errors.AsType[*conn.Error](err); ok && !errors.Is(err, conn.ErrClosed) {
		named := *ce
		named.Op = op
		return &named
	}
	return err
}
