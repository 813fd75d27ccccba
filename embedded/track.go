package embedded

import (
	"context"
	"slices"

	"github.com/larder-go/larder/conn"
)

// maxTracked bounds the keys that one connection tracks. Redis' bound
// (tracking-table-max-keys) has the same default.
const maxTracked = 1_000_000

// tracker is the part of a Conn whose reads are remembered.
type tracker struct{ c *Conn }

var _ conn.Tracker = tracker{}

// Do executes one command and tracks the keys that it reads.
func (t tracker) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	return t.c.do(ctx, t.c, cmd)
}

// Pipeline executes cmds and tracks the keys that they read.
func (t tracker) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return t.c.pipeline(ctx, t.c, cmds)
}

// Eval runs s and tracks the keys that it reads and does not write afterwards.
func (t tracker) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return t.c.eval(ctx, t.c, s, keys, args)
}

// EvalEach is Eval for every call.
func (t tracker) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return t.c.evalEach(ctx, t.c, s, calls)
}

// Epoch ends when all keys are removed and with the Conn: there is no network
// that could fail.
func (t tracker) Epoch(string) *conn.Epoch { return &t.c.epoch }

// Listen implements conn.Tracker.
func (t tracker) Listen(fn func(keys []string)) (stop func()) { return t.c.push.listen(fn) }

// Announce implements conn.Tracker.
func (t tracker) Announce(keys ...string) { t.c.push.announce(keys) }

// trackLocked remembers that c has read keys.
func (e *Engine) trackLocked(c *Conn, keys []string) {
	if _, open := e.conns[c]; !open {
		return
	}
	for _, k := range keys {
		if c.tracked == nil {
			c.tracked = map[string]struct{}{}
		}
		c.tracked[k] = struct{}{}
		if len(c.tracked) > maxTracked {
			e.forgetAnyLocked(c)
		}
	}
}

// forgetAnyLocked makes room as Redis does: some key is declared changed.
func (e *Engine) forgetAnyLocked(c *Conn) {
	for k := range c.tracked {
		delete(c.tracked, k)
		e.pushLocked(c, []string{k})
		return
	}
}

// invalidateLocked tells everybody who tracks key that it has changed.
func (e *Engine) invalidateLocked(key string) {
	for c := range e.conns {
		if _, ok := c.tracked[key]; ok {
			delete(c.tracked, key)
			e.pushLocked(c, []string{key})
		}
	}
}

// invalidateAllLocked tells everybody that all keys have changed. The epoch ends
// too, for those who look at it between the change and the push.
func (e *Engine) invalidateAllLocked() {
	for c := range e.conns {
		c.tracked = nil
		c.epoch.Advance()
		e.pushLocked(c, nil)
	}
}

// pushLocked queues a push, which end delivers.
func (e *Engine) pushLocked(c *Conn, keys []string) {
	c.push.enqueue(keys)
	if !slices.Contains(e.pushed, c) {
		e.pushed = append(e.pushed, c)
	}
}
