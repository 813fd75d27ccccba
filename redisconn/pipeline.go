package redisconn

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

var errOpenTx = errors.New("redisconn: the pipeline has MULTI without EXEC, or EXEC without MULTI; nothing of it was sent")

// pipeline sends cmds in one round trip per node; in a cluster those without a
// key, and transactions, take one each.
func (c *client) pipeline(ctx context.Context, cmds []conn.Command) []conn.Result {
	results := make([]conn.Result, len(cmds))
	b := batch{c: c, cmds: cmds, results: results}
	if !b.balanced() {
		for i := range results {
			results[i].Err = errOpenTx
		}
		return results
	}
	b.run(ctx)
	return results
}

// batch is one pipeline on its way.
type batch struct {
	c       *client
	cmds    []conn.Command
	results []conn.Result
}

// balanced tells whether every MULTI has its EXEC: an open one would swallow
// the commands of all who share the connection.
func (b *batch) balanced() bool {
	open := false
	for _, cmd := range b.cmds {
		if len(cmd.Args) == 0 {
			continue
		}
		switch {
		case begins(cmd):
			if open {
				return false
			}
			open = true
		case ends(cmd):
			if !open {
				return false
			}
			open = false
		}
	}
	return !open
}

// group is part of a batch that is sent together; at are indexes of the batch.
type group struct {
	built  []rueidis.Completed
	at     []int
	gates  []*gate        // that each has to pass; only in a cluster
	rc     rueidis.Client // executes it; nil for the client's
	blocks bool           // holds a blocking command
}

func (g *group) add(i int, c rueidis.Completed) {
	g.built, g.at = append(g.built, c), append(g.at, i)
	g.blocks = g.blocks || c.IsBlock()
}

// keyed is add for a command with a key.
func (g *group) keyed(c *client, i int, cmd rueidis.Completed, key string) {
	g.add(i, cmd)
	if c.topo != nil {
		gate, _ := c.route(key, true)
		g.gates = append(g.gates, gate)
	}
}

// keyless is add for a command that any node may execute: all of a group go to one.
func (g *group) keyless(c *client, i int, cmd rueidis.Completed) {
	g.add(i, cmd)
	if c.topo == nil {
		return
	}
	if len(g.gates) > 0 {
		g.gates = append(g.gates, g.gates[0])
		return
	}
	gate, rc := c.route("", false)
	g.gates, g.rc = append(g.gates, gate), rc
}

// room prepares for n commands.
func (g *group) room(n int) {
	g.built, g.at = make([]rueidis.Completed, 0, n), make([]int, 0, n)
}

// run splits the batch for a cluster: the library panics when commands without
// a key are mixed with keys of several slots.
func (b *batch) run(ctx context.Context) {
	var keyed, keyless group
	keyed.room(len(b.cmds))
	flush := func() {
		b.send(ctx, &keyed)
		b.send(ctx, &keyless)
	}
	for i := 0; i < len(b.cmds); i++ {
		if n := b.txLen(i); n > 0 {
			if b.c.cluster {
				flush()
				b.transaction(ctx, i, n, &group{})
			} else {
				b.transaction(ctx, i, n, &keyed)
			}
			i += n - 1
			continue
		}
		completed, _, err := b.c.build(b.cmds[i], false)
		switch {
		case err != nil:
			b.results[i].Err = err
		case b.c.cluster && b.cmds[i].KeyAt == 0:
			keyless.keyless(b.c, i, completed)
		default:
			key, _ := b.cmds[i].Key()
			keyed.keyed(b.c, i, completed, key)
		}
	}
	flush()
}

// begins tells whether cmd is MULTI. It is asked about every command of every
// pipeline, where kindOf would cost more than the rest.
func begins(cmd conn.Command) bool {
	name := cmd.Name()
	return len(name) == len("MULTI") && strings.EqualFold(name, "MULTI")
}

// ends tells whether cmd is EXEC or DISCARD.
func ends(cmd conn.Command) bool {
	switch name := cmd.Name(); len(name) {
	case len("EXEC"):
		return strings.EqualFold(name, "EXEC")
	case len("DISCARD"):
		return strings.EqualFold(name, "DISCARD")
	}
	return false
}

// txLen is the number of commands of the transaction that starts at i, or 0.
func (b *batch) txLen(i int) int {
	if !begins(b.cmds[i]) {
		return 0
	}
	for n := 1; ; n++ {
		if ends(b.cmds[i+n]) {
			return n + 1
		}
	}
}

// transaction adds n commands from at on to g, and sends it in a cluster. If one
// of them cannot be sent none is.
func (b *batch) transaction(ctx context.Context, at, n int, g *group) {
	built := make([]rueidis.Completed, n)
	var keys []string
	var err error
	for i := 0; i < n && err == nil; i++ {
		cmd := b.cmds[at+i]
		if built[i], _, err = b.c.build(cmd, true); err == nil {
			if key, ok := cmd.Key(); ok {
				keys = append(keys, key)
			}
		}
	}
	if err == nil && b.c.cluster && !oneSlot(keys) {
		err = errSlots
	}
	for i, completed := range built {
		if err != nil {
			b.results[at+i].Err = err
		} else {
			switch {
			case len(keys) > 0:
				g.keyed(b.c, at+i, completed, keys[0])
			default:
				g.keyless(b.c, at+i, completed)
			}
		}
	}
	if b.c.cluster {
		b.send(ctx, g)
	}
}

// send sends a group and empties it.
func (b *batch) send(ctx context.Context, g *group) {
	b.c.dispatch(ctx, g, func(i int) string { return b.cmds[i].Name() }, b.results)
	*g = group{}
}
