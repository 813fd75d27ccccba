package redisconn

import (
	"context"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

const (
	evalDigest = "EVALSHA"
	evalText   = "EVAL"
	opEval     = "eval"
)

// eval runs s by its digest, and by its text where the node does not know it:
// in that case the script has not been executed.
func (c *client) eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	if c.cluster && !oneSlot(keys) {
		return conn.Value{}, errSlots
	}
	g, rc := c.route(first(keys), len(keys) > 0)
	v, err := c.send(ctx, opEval, g, rc, c.script(evalDigest, s.Digest(), keys, args))
	if conn.Code(err) == "NOSCRIPT" {
		v, err = c.send(ctx, opEval, g, rc, c.script(evalText, s.Text(), keys, args))
	}
	return v, err
}

// evalEach runs s once per call; a second round trip, by text, runs those whose
// node did not know the script.
func (c *client) evalEach(ctx context.Context, s *conn.Script, calls []conn.ScriptCall) []conn.Result {
	results := make([]conn.Result, len(calls))
	todo := make([]int, 0, len(calls))
	for i, call := range calls {
		if c.cluster && !oneSlot(call.Keys) {
			results[i].Err = errSlots
		} else {
			todo = append(todo, i)
		}
	}
	c.evalAt(ctx, evalDigest, s.Digest(), calls, todo, results)
	again := todo[:0]
	for _, i := range todo {
		if conn.Code(results[i].Err) == "NOSCRIPT" {
			again = append(again, i)
		}
	}
	c.evalAt(ctx, evalText, s.Text(), calls, again, results)
	return results
}

// evalAt runs the calls with the indexes at, those without keys apart: see batch.run.
func (c *client) evalAt(ctx context.Context, verb, script string, calls []conn.ScriptCall, at []int, results []conn.Result) {
	var keyed, keyless group
	keyed.room(len(at))
	for _, i := range at {
		cmd := c.script(verb, script, calls[i].Keys, calls[i].Args)
		if c.cluster && len(calls[i].Keys) == 0 {
			keyless.keyless(c, i, cmd)
		} else {
			keyed.keyed(c, i, cmd, first(calls[i].Keys))
		}
	}
	op := func(int) string { return opEval }
	c.dispatch(ctx, &keyed, op, results)
	c.dispatch(ctx, &keyless, op, results)
}

// first is the key that decides where a script runs, or "".
func first(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	return keys[0]
}

// script builds EVAL or EVALSHA; the caller has checked the keys' slots.
func (c *client) script(verb, script string, keys, args []string) rueidis.Completed {
	a := c.rc.B().Arbitrary(verb, script, strconv.Itoa(len(keys)))
	if !c.cluster {
		return a.Args(keys...).Args(args...).Build() // without a hash of the first key
	}
	return a.Keys(keys...).Args(args...).Build()
}
