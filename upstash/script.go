package upstash

import (
	"context"
	"strconv"

	"github.com/larder-go/larder/conn"
)

const opEval = "eval"

// Eval runs a script by its digest, and by its text where the server does not
// know it: in that case it has not been executed.
func (c *Conn) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	call := conn.ScriptCall{Keys: keys, Args: args}
	v, err := c.eval(ctx, "EVALSHA", s.Digest(), call)
	if conn.Code(err) == "NOSCRIPT" {
		v, err = c.eval(ctx, "EVAL", s.Text(), call)
	}
	return v, err
}

func (c *Conn) eval(ctx context.Context, verb, script string, call conn.ScriptCall) (conn.Value, error) {
	cmd := scriptCommand(verb, script, call)
	if err := c.check(cmd, false); err != nil {
		return conn.Value{}, err
	}
	return c.do(ctx, opEval, cmd)
}

func scriptCommand(verb, script string, call conn.ScriptCall) conn.Command {
	args := make([]string, 0, 3+len(call.Keys)+len(call.Args))
	args = append(args, verb, script, strconv.Itoa(len(call.Keys)))
	args = append(args, call.Keys...)
	return conn.Cmd(args[0], append(args[1:], call.Args...)...)
}

// EvalEach runs a script once per call; a second request, by text, runs those
// that came before the server knew it.
func (c *Conn) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	results := make([]conn.Result, len(calls))
	todo := make([]int, len(calls))
	for i := range todo {
		todo[i] = i
	}
	c.evalAt(ctx, "EVALSHA", s.Digest(), calls, todo, results)
	again := todo[:0]
	for _, i := range todo {
		if conn.Code(results[i].Err) == "NOSCRIPT" {
			again = append(again, i)
		}
	}
	if len(again) == 0 {
		return results
	}
	// The first teaches the script to the server; the rest need not carry it.
	results[again[0]].Value, results[again[0]].Err = c.eval(ctx, "EVAL", s.Text(), calls[again[0]])
	c.evalAt(ctx, "EVALSHA", s.Digest(), calls, again[1:], results)
	for _, i := range again[1:] {
		if conn.Code(results[i].Err) == "NOSCRIPT" { // flushed in between
			results[i].Value, results[i].Err = c.eval(ctx, "EVAL", s.Text(), calls[i])
		}
	}
	return results
}

// evalAt runs the calls with the indexes at.
func (c *Conn) evalAt(ctx context.Context, verb, script string, calls []conn.ScriptCall, at []int, results []conn.Result) {
	b := batch{c: c, cmds: make([]conn.Command, len(calls)), results: results, op: opEval}
	for _, i := range at {
		b.cmds[i] = scriptCommand(verb, script, calls[i])
		results[i] = conn.Result{Err: c.check(b.cmds[i], false)}
		if results[i].Err == nil {
			b.add(ctx, i)
		}
	}
	b.flush(ctx)
}
