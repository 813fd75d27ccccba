package gateway

import (
	"context"
	"slices"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/slot"
)

// row is one command of a request on its way. plan decides how it is executed:
// it is settled (value and err are the answer), it takes part in a pipeline
// with some commands of its own, or it runs alone between two pipelines.
//
// Pipelines have hundreds of rows, so a row is small: what few of them need
// stands in its detour, and the answer stays where the server's has arrived.
type row struct {
	args  []string
	keyAt int
	shape shape
	null  bool // an argument was JSON's null
	*detour
	res *conn.Result // nil until settled
}

// detour is what makes a command more than one that is sent and answered.
type detour struct {
	alone func(ctx context.Context) (conn.Value, error)
	// spread, if set, is sent instead of args; gather then puts their results
	// together.
	spread []conn.Command
	gather func(results []conn.Result) (conn.Value, error)
	// finish, if set, makes the answer out of the server's.
	finish func(v conn.Value, err error) (conn.Value, error)
}

// differ returns the detour of r, which has one from now on.
func (r *row) differ() *detour {
	if r.detour == nil {
		r.detour = &detour{}
	}
	return r.detour
}

func (r *row) settled() bool { return r.res != nil }

func (r *row) settle(v conn.Value, err error) { r.res = &conn.Result{Value: v, Err: err} }

func (r *row) fail(err error) { r.settle(conn.Value{}, err) }

// runsAlone tells whether r is not part of a pipeline.
func (r *row) runsAlone() bool { return r.detour != nil && r.alone != nil }

// isSpread tells whether r sends several commands.
func (r *row) isSpread() bool { return r.detour != nil && r.spread != nil }

// planner prepares the commands of one request.
type planner struct {
	g      *Gateway
	role   role
	atomic bool // of a transaction: everything goes to one node, at once
	// keys are the indexes of a row's keys; reused from row to row.
	keys []int
	// slot is the one of a transaction's keys in a cluster; -1 before the first.
	slot int
}

// plan decides how r is executed.
func (p *planner) plan(ctx context.Context, r *row) {
	switch {
	case r.null:
		r.fail(errNullArgument)
		return
	case len(r.args) == 0:
		r.fail(errEmptyRow)
		return
	}
	c, err := p.g.find(ctx, r.args[0])
	switch {
	case err != nil:
		r.fail(err)
		return
	case c == nil:
		r.fail(notAvailable(r.args[0]))
		return
	}
	if p.g.opts.Observer != nil {
		p.g.tally.families[c.family].Add(1)
	}
	sub := c.sub(r.args)
	d := c.dialect
	switch {
	case sub.refused:
		r.fail(notAvailable(r.args[0]))
		return
	case p.role == reader && !sub.readable:
		r.fail(notPermitted(c.name))
		return
	case !sub.arityOK(len(r.args)) && (d == nil || !d.anyArity):
		r.fail(wrongArity(sub.name))
		return
	}
	r.args[0] = c.upper
	r.shape = c.shape
	if d != nil && d.prepare != nil {
		if d.prepare(p, r); r.settled() {
			return
		}
	}
	p.place(ctx, c, sub, r)
}

// place checks the keys and finds the node for r.
func (p *planner) place(ctx context.Context, c, sub *command, r *row) {
	var all bool
	if sub != c && sub.first > 0 {
		p.keys, all = sub.keysOf(p.keys[:0], r.args)
	} else {
		p.keys, all = c.keysOf(p.keys[:0], r.args)
	}
	cluster := p.g.caps.Cluster
	if !all && cluster {
		p.askKeys(ctx, r)
		if r.settled() {
			return
		}
	}
	for _, i := range p.keys {
		if n := len(r.args[i]); n > p.g.opts.MaxKey {
			r.fail(&conn.ServerError{Text: (&sizeError{"key", int64(p.g.opts.MaxKey), int64(n)}).Error()})
			return
		}
	}
	switch {
	case r.runsAlone():
		if p.atomic {
			r.fail(&conn.ServerError{Text: "ERR '" + c.name + "' is not available in a transaction of a cluster, nor with WITHTYPE"})
		}
		return
	case len(p.keys) == 0:
		return
	}
	r.keyAt = p.keys[0]
	if !cluster {
		return
	}
	first := slot.Of(r.args[r.keyAt])
	one := !slices.ContainsFunc(p.keys[1:], func(i int) bool { return slot.Of(r.args[i]) != first })
	switch {
	case p.atomic && (!one || p.slot >= 0 && p.slot != int(first)):
		r.fail(&conn.ServerError{Text: textCrossSlot})
	case p.atomic:
		p.slot = int(first)
	case !one && c.dialect != nil && c.dialect.spread != nil:
		c.dialect.spread(r)
	case !one:
		r.fail(&conn.ServerError{Text: textCrossSlot})
	}
}

// askKeys has the server find the keys of a command that the gateway does not know.
func (p *planner) askKeys(ctx context.Context, r *row) {
	v, err := p.g.c.Do(ctx, conn.Cmd("COMMAND", append([]string{"GETKEYS"}, r.args...)...))
	if conn.Code(err) != "" {
		return // it has none, or is wrong: the server will say so
	}
	if err != nil {
		r.fail(err)
		return
	}
	p.keys = p.keys[:0]
	for _, key := range v.Elems {
		from := 1
		if n := len(p.keys); n > 0 {
			from = p.keys[n-1] + 1
		}
		if i := slices.Index(r.args[from:], key.Str); i >= 0 {
			p.keys = append(p.keys, from+i)
		}
	}
}
