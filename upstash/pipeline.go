package upstash

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/larder-go/larder/conn"
)

var errOpenTx = errors.New("upstash: MULTI and EXEC must stand in one Pipeline, in this order; nothing was sent")

// Do sends one command and waits for its reply.
func (c *Conn) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if err := c.check(cmd, false); err != nil {
		return conn.Value{}, err
	}
	return c.do(ctx, cmd.Name(), cmd)
}

// do sends a command that has been checked.
func (c *Conn) do(ctx context.Context, op string, cmd conn.Command) (conn.Value, error) {
	body, err := c.send(ctx, request{op: op, path: "/", body: appendCommand(nil, cmd.Args), reads: reads(cmd)})
	if err != nil {
		return conn.Value{}, err
	}
	values, err := parseRESP(body, 1)
	if err != nil {
		// Errors may come as JSON whatever was asked for.
		if text := errorText(body); text != "" {
			return conn.Value{}, serverError(op, text)
		}
		return conn.Value{}, &conn.Error{Op: op, Err: err}
	}
	r := result(op, values[0])
	return r.Value, r.Err
}

// result tells replies from errors.
func result(op string, v conn.Value) conn.Result {
	if v.Kind == conn.Failure {
		return conn.Result{Err: serverError(op, v.Str)}
	}
	return conn.Result{Value: v}
}

// Pipeline sends several commands in one request, or in a few if they are many.
// What stands between MULTI and EXEC is a request of its own.
func (c *Conn) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	results := make([]conn.Result, len(cmds))
	if !balanced(cmds) {
		for i := range results {
			results[i].Err = errOpenTx
		}
		return results
	}
	b := batch{c: c, cmds: cmds, results: results}
	for i := 0; i < len(cmds); i++ {
		if begins(cmds[i]) {
			b.flush(ctx)
			end := i + 1
			for !ends(cmds[end]) {
				end++
			}
			c.transaction(ctx, cmds[i:end+1], results[i:end+1])
			i = end
			continue
		}
		if err := c.check(cmds[i], false); err != nil {
			results[i].Err = err
			continue
		}
		b.add(ctx, i)
	}
	b.flush(ctx)
	return results
}

// balanced tells whether every MULTI has its end, and every end its MULTI.
func balanced(cmds []conn.Command) bool {
	open := false
	for _, cmd := range cmds {
		if begins(cmd) || ends(cmd) {
			if begins(cmd) == open {
				return false
			}
			open = !open
		}
	}
	return !open
}

// batch collects the commands of one request.
type batch struct {
	c       *Conn
	cmds    []conn.Command
	results []conn.Result
	op      string // for errors, where it is not the name of the command

	at    []int // indexes of those that are collected
	body  []byte
	write bool // one of them may write
}

// add collects the command i, and sends first what would be too much with it.
func (b *batch) add(ctx context.Context, i int) {
	start := len(b.body)
	b.body = append(b.body, ',')
	b.body = appendCommand(b.body, b.cmds[i].Args)
	if len(b.at) == MaxBatch || len(b.at) > 0 && len(b.body) >= b.c.opts.MaxRequest {
		last := slices.Clone(b.body[start:])
		b.body = b.body[:start]
		b.flush(ctx)
		b.body = last
	}
	b.at = append(b.at, i)
	b.write = b.write || !reads(b.cmds[i])
}

// flush sends what is collected.
func (b *batch) flush(ctx context.Context) {
	if len(b.at) == 0 {
		return
	}
	b.body[0] = '[' // it was a comma
	r := request{op: b.name(b.at[0]), path: "/pipeline", body: append(b.body, ']'), base64: b.c.jsonBatches, reads: !b.write}
	body, err := b.c.send(ctx, r)
	var values []conn.Value
	if err == nil {
		if values, err = parse(body, len(b.at), r.base64); err != nil {
			err = &conn.Error{Op: r.op, Err: err}
		}
	}
	for n, i := range b.at {
		if err != nil {
			b.results[i].Err = err
		} else {
			b.results[i] = result(b.name(i), values[n])
		}
	}
	b.at, b.body, b.write = b.at[:0], nil, false
}

func (b *batch) name(i int) string {
	if b.op != "" {
		return b.op
	}
	return b.cmds[i].Name()
}

// parse reads n replies in the format that was asked for.
func parse(body string, n int, encoded bool) ([]conn.Value, error) {
	if encoded {
		return parseJSON(body, n)
	}
	return parseRESP(body, n)
}

// transaction executes cmds, from MULTI to EXEC or DISCARD.
func (c *Conn) transaction(ctx context.Context, cmds []conn.Command, out []conn.Result) {
	last := len(cmds) - 1
	inner := cmds[1:last]
	body := []byte{'['}
	for i, cmd := range inner {
		err := c.check(cmd, true)
		if err != nil {
			for j := range out {
				out[j].Err = err
			}
			return
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = appendCommand(body, cmd.Args)
		out[i+1].Value = conn.Value{Kind: conn.Status, Str: "QUEUED"}
	}
	body = append(body, ']')
	ok := conn.Value{Kind: conn.Status, Str: "OK"}
	out[0].Value, out[last].Value = ok, ok
	if strings.EqualFold(cmds[last].Name(), "DISCARD") {
		return
	}
	if len(inner) == 0 {
		out[last].Value = conn.Value{Kind: conn.Array}
		return
	}
	values, err := c.exec(ctx, body, len(inner))
	if err == nil {
		out[last].Value = conn.Value{Kind: conn.Array, Elems: values}
		return
	}
	if conn.Code(err) == "EXECABORT" {
		out[last] = conn.Result{Err: err}
		return
	}
	for i := range out {
		out[i] = conn.Result{Err: err}
	}
}

// exec sends the commands of a transaction.
func (c *Conn) exec(ctx context.Context, cmds []byte, n int) ([]conn.Value, error) {
	const op = "EXEC"
	body, err := c.send(ctx, request{op: op, path: "/multi-exec", body: cmds, base64: true})
	if err == nil {
		values, err := parseJSON(body, n)
		if err == nil {
			return values, nil
		}
		text := errorText(body)
		if text == "" {
			return nil, &conn.Error{Op: op, Err: err}
		}
		return nil, discarded(&conn.ServerError{Text: text})
	}
	if se, ok := errors.AsType[*conn.ServerError](err); ok {
		return nil, discarded(se)
	}
	return nil, err
}

// discarded is the error of a transaction that the server has refused as a whole.
func discarded(why *conn.ServerError) error {
	switch why.Code() {
	case "EXECABORT", "WRONGPASS", "Unauthorized":
		return why
	}
	return &conn.ServerError{Text: "EXECABORT Transaction discarded because of previous errors: " + why.Text}
}
