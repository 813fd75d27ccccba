package gateway

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// execute runs planned rows in their order. What can be pipelined is; rows that
// run alone stand between two pipelines.
func (g *Gateway) execute(ctx context.Context, s *scratch, rows []row) {
	from := 0
	for i := range rows {
		r := &rows[i]
		if r.settled() || !r.runsAlone() {
			continue
		}
		g.pipeline(ctx, s, rows[from:i])
		v, err := r.alone(ctx)
		r.answer(v, err)
		from = i + 1
	}
	g.pipeline(ctx, s, rows[from:])
}

// answer takes what the server said.
func (r *row) answer(v conn.Value, err error) {
	if r.detour != nil && r.finish != nil {
		v, err = r.finish(v, err)
	}
	r.settle(v, err)
}

// take settles r with the results of its commands.
func (r *row) take(results []conn.Result) {
	switch {
	case r.detour == nil:
		r.res = &results[0]
	case r.gather != nil:
		r.answer(r.gather(results))
	default:
		r.answer(results[0].Value, results[0].Err)
	}
}

// pipeline sends the commands of rows in one go.
func (g *Gateway) pipeline(ctx context.Context, s *scratch, rows []row) {
	cmds := s.cmds[:0]
	for i := range rows {
		r := &rows[i]
		switch {
		case r.settled():
		case r.isSpread():
			cmds = append(cmds, r.spread...)
		default:
			cmds = append(cmds, conn.Command{Args: r.args, KeyAt: r.keyAt})
		}
	}
	s.cmds = cmds
	switch len(cmds) {
	case 0:
		return
	case 1: // one command is cheaper by itself
		for i := range rows {
			if r := &rows[i]; !r.settled() {
				s.result[0].Value, s.result[0].Err = g.c.Do(ctx, cmds[0])
				r.take(s.result[:])
			}
		}
		return
	}
	results := g.c.Pipeline(ctx, cmds...)
	at := 0
	for i := range rows {
		r := &rows[i]
		switch {
		case r.settled():
		case r.isSpread():
			n := len(r.spread)
			r.take(results[at : at+n])
			at += n
		default:
			r.take(results[at : at+1])
			at++
		}
	}
}

// transact runs planned rows as one transaction. An error means that it was
// discarded as a whole.
func (g *Gateway) transact(ctx context.Context, rows []row) error {
	cmds := make([]conn.Command, 1, len(rows)+2)
	cmds[0] = conn.Cmd("MULTI")
	for i := range rows {
		if r := &rows[i]; !r.settled() {
			cmds = append(cmds, conn.Command{Args: r.args, KeyAt: r.keyAt})
		}
	}
	if len(cmds) == 1 {
		return nil
	}
	cmds = append(cmds, conn.Cmd("EXEC"))
	results := g.c.Pipeline(ctx, cmds...)
	last := len(cmds) - 1
	exec := results[last]
	if exec.Err != nil {
		// The reason stands where a command was refused when it was queued.
		if conn.Code(exec.Err) == "EXECABORT" {
			if err := failed(results[1:last]); err != nil {
				return err
			}
		}
		return exec.Err
	}
	replies, err := exec.Value.List()
	if err != nil || len(replies) != len(cmds)-2 {
		return &conn.ServerError{Text: "ERR the transaction was discarded"}
	}
	for i := range rows {
		r := &rows[i]
		if r.settled() {
			continue
		}
		v := replies[0]
		replies = replies[1:]
		if v.Kind == conn.Failure {
			r.answer(conn.Value{}, &conn.ServerError{Text: v.Str})
		} else {
			r.answer(v, nil)
		}
	}
	return nil
}
