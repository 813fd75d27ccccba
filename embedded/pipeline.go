package embedded

import (
	"context"
	"strings"

	"github.com/larder-go/larder/conn"
)

const errQueue = "EXECABORT Transaction discarded because of previous errors."

func (c *Conn) pipeline(ctx context.Context, track *Conn, cmds []conn.Command) []conn.Result {
	out := make([]conn.Result, len(cmds))
	for i := 0; i < len(cmds); {
		if !strings.EqualFold(cmds[i].Name(), "MULTI") {
			out[i].Value, out[i].Err = c.do(ctx, track, cmds[i])
			i++
			continue
		}
		end := i + 1
		for end < len(cmds) && !endsTransaction(cmds[end].Name()) {
			end++
		}
		if end == len(cmds) {
			err := &conn.ServerError{Text: "ERR MULTI without EXEC or DISCARD in the same Pipeline call"}
			for ; i < end; i++ {
				out[i].Err = err
			}
			return out
		}
		c.transaction(ctx, track, cmds[i:end+1], out[i:end+1])
		i = end + 1
	}
	return out
}

func endsTransaction(name string) bool {
	return strings.EqualFold(name, "EXEC") || strings.EqualFold(name, "DISCARD")
}

// transaction executes cmds, from MULTI to EXEC or DISCARD, without letting
// anybody else in between.
func (c *Conn) transaction(ctx context.Context, track *Conn, cmds []conn.Command, out []conn.Result) {
	if err := c.begin(ctx); err != nil {
		for i := range out {
			out[i].Err = failed(cmds[i].Name(), err)
		}
		return
	}
	defer c.finish(track)

	last := len(cmds) - 1
	out[0].Value, out[last].Value = ok(), ok()
	aborted := false
	for i := 1; i < last; i++ {
		out[i].Value = conn.Value{Kind: conn.Status, Str: "QUEUED"}
		if err := queueable(cmds[i]); err != nil {
			out[i] = conn.Result{Err: err}
			aborted = true
		}
	}
	if strings.EqualFold(cmds[last].Name(), "DISCARD") {
		return
	}
	if aborted {
		out[last] = conn.Result{Err: &conn.ServerError{Text: errQueue}}
		return
	}
	replies := make([]conn.Value, 0, last-1)
	for _, cmd := range cmds[1:last] {
		x := call{ctx: ctx, tracker: track}
		v := c.engine.executeLocked(&x, cmd.Args)
		if x.stopped != nil {
			v = failure("ERR the script was stopped: " + x.stopped.Error())
		}
		replies = append(replies, v)
	}
	out[last].Value = conn.Value{Kind: conn.Array, Elems: replies}
}

// queueable finds the errors that Redis reports when a command is queued.
func queueable(cmd conn.Command) error {
	if err := valid(cmd); err != nil {
		return err
	}
	known := lookup(cmd.Args[0])
	switch {
	case known == nil:
		return &conn.ServerError{Text: unknown(cmd.Args[0]).Str}
	case !known.arityOK(len(cmd.Args)):
		return &conn.ServerError{Text: wrongArity(known).Str}
	case known.name == "multi":
		return &conn.ServerError{Text: "ERR MULTI calls can not be nested"}
	case known.is(noQueue):
		return &conn.ServerError{Text: known.refuse(cmd.Args)}
	}
	return nil
}
