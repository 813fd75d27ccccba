package embedded

import (
	"context"
	"strings"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded/internal/sandbox"
)

// reply is a Value that may be a Failure at its top.
type reply = conn.Value

// call is one call of a client, during which the engine is locked.
type call struct {
	ctx     context.Context //nolint:containedctx // for the length of one call
	tracker *Conn           // remembers what is read; nil for none
	// stopped is the context's error if that ended a script.
	stopped error

	script bool // within a script
	permit sandbox.Permit
	resp2  bool
}

// executeLocked executes one command.
func (e *Engine) executeLocked(x *call, args []string) reply {
	e.stats.commands++
	c := lookup(args[0])
	if c == nil {
		return unknown(args[0])
	}
	if !c.arityOK(len(args)) {
		return wrongArity(c)
	}
	return e.executeKnownLocked(x, c, args)
}

func (e *Engine) executeKnownLocked(x *call, c *command, args []string) reply {
	if c.refuse != nil {
		if why := c.refuse(args); why != "" {
			return failure(why)
		}
	}
	if len(e.monitors) > 0 {
		e.monitorLocked(x, args)
	}
	if c.run != nil {
		return c.run(e, x, args)
	}
	if why := e.tooLargeLocked(c, args); why != "" {
		return failure(why)
	}
	if c.is(keyspace) {
		e.expireEverythingLocked()
	}
	keys := c.keysOf(args)
	e.expireLocked(keys)

	if !c.is(write) {
		if x.tracker != nil && c.is(read) {
			// Before the read: a write in between must find the key tracked.
			e.trackLocked(x.tracker, keys)
		}
		if c.is(lifetime) {
			e.lendLocked(keys)
		}
		sent := args
		if c.args != nil {
			sent = c.args(args)
		}
		v := e.wire.call(sent, !x.resp2)
		if c.shape != nil && v.Kind != conn.Failure {
			v = c.shape(e, x, args, v)
		}
		return v
	}
	return e.writeLocked(x, c, args, keys)
}

func (e *Engine) writeLocked(x *call, c *command, args, keys []string) reply {
	changed := c.changed(keys)
	if c.is(grow) && !x.permit.AllowOOM && e.fullLocked(changed) {
		return failure(e.fullText())
	}
	if c.name == "copy" {
		e.clearTargetLocked(args)
	}
	e.lendLocked(keys)
	v := e.wire.call(e.normalizedLocked(c, args), !x.resp2)
	if c.is(flush) {
		if v.Kind != conn.Failure {
			e.deadlines, e.fields = deadlines{}, fieldLives{}
			e.invalidateAllLocked()
		}
		return v
	}
	e.settleLocked(changed)
	if v.Kind == conn.Failure || c.is(unless) && nothing(v) || refusedSet(c, args, v) {
		return v
	}
	e.settleFieldsLocked(c, args, changed)
	for _, k := range changed {
		e.invalidateLocked(k)
	}
	if c.shape != nil {
		v = c.shape(e, x, args, v)
	}
	return v
}

// nothing tells a reply by which a command says that it has changed nothing.
func nothing(v reply) bool {
	return v.Kind == conn.Nil || v.Kind == conn.Int && v.Int == 0
}

// refusedSet tells a SET that NX or XX kept from writing. With GET a nil may
// also mean that there was no old value.
func refusedSet(c *command, args []string, v reply) bool {
	if c.name != "set" || v.Kind != conn.Nil {
		return false
	}
	for _, a := range args[3:] {
		if len(a) == 3 && (a[0]|0x20) == 'g' {
			return false
		}
	}
	return true
}

// clearTargetLocked removes the target of a COPY with REPLACE: miniredis would
// leave the old value's lifetime to the new one.
func (e *Engine) clearTargetLocked(args []string) {
	if args[1] == args[2] || !e.db.Exists(args[1]) {
		return
	}
	for _, a := range args[3:] {
		if strings.EqualFold(a, "REPLACE") {
			e.db.Del(args[2])
			e.deadlines.remove(args[2])
		}
	}
}
