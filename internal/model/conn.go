package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// Conn is one client of a Model.
type Conn struct {
	m     *Model
	epoch conn.Epoch
	// tracked are the keys that it is to be told of; protected by the model's mu.
	tracked map[string]bool

	mu     sync.Mutex // protects the following
	last   int
	listen map[int]func([]string)
}

var (
	_ conn.Conn    = (*Conn)(nil)
	_ conn.Tracker = tracker{}
)

// Connect makes a client.
func (m *Model) Connect() *Conn {
	c := &Conn{m: m, tracked: map[string]bool{}, listen: map[int]func([]string){}}
	c.epoch.Hear(conn.Always)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients = append(m.clients, c)
	return c
}

func (c *Conn) notify(keys []string) {
	c.mu.Lock()
	var fns []func([]string)
	for _, fn := range c.listen {
		fns = append(fns, fn)
	}
	c.mu.Unlock()
	for _, fn := range fns {
		fn(keys)
	}
}

// Do executes a command. It does not track what is read.
func (c *Conn) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	return c.command(ctx, cmd, false)
}

func (c *Conn) command(ctx context.Context, cmd conn.Command, track bool) (conn.Value, error) {
	if err := ctx.Err(); err != nil {
		return conn.Value{}, &conn.Error{Op: strings.ToLower(cmd.Name()), Err: err}
	}
	key, _ := cmd.Key()
	known := true
	v := c.m.do(func() conn.Value {
		m := c.m
		it, ok := m.getLocked(key)
		if track {
			c.tracked[key] = true
		}
		switch cmd.Name() {
		case "GET":
			if !ok {
				return conn.Value{Kind: conn.Nil}
			}
			return conn.Value{Kind: conn.Bulk, Str: it.value}
		case "EXISTS":
			return flag(ok)
		case "PTTL":
			return integer(m.ttlLocked(it, ok))
		case "DEL", "UNLINK":
			return flag(m.deleteLocked(key))
		case "TIME":
			now := time.Now()
			return list(text(fmt.Sprint(now.Unix())), text(fmt.Sprint(now.Nanosecond()/1000)))
		}
		known = false
		return conn.Value{}
	})
	if !known {
		return v, &conn.Error{Op: strings.ToLower(cmd.Name()), Err: fmt.Errorf("model: an unknown command")}
	}
	return v, nil
}

// Pipeline executes commands one after the other.
func (c *Conn) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return c.each(len(cmds), func(i int) (conn.Value, error) { return c.Do(ctx, cmds[i]) })
}

func (c *Conn) each(n int, fn func(i int) (conn.Value, error)) []conn.Result {
	out := make([]conn.Result, n)
	for i := range out {
		out[i].Value, out[i].Err = fn(i)
	}
	return out
}

// Eval executes one of the cache's scripts.
func (c *Conn) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return c.eval(ctx, s, keys, args, false)
}

func (c *Conn) eval(ctx context.Context, s *conn.Script, keys, args []string, track bool) (conn.Value, error) {
	if err := ctx.Err(); err != nil {
		return conn.Value{}, &conn.Error{Op: "eval", Err: err}
	}
	name, key := Name(s.Text()), keys[0]
	ofGeneration := strings.Contains(s.Text(), "What the scripts of generations share")
	known := true
	v := c.m.do(func() conn.Value {
		m := c.m
		v := conn.Value{}
		switch {
		case name == "bar" && ofGeneration:
			v = m.barGenerationLocked(key, args)
		case name == "lift" && ofGeneration:
			v = m.liftGenerationLocked(key, args)
		case name == "acquire":
			v = m.acquireLocked(key, args)
		case name == "fill":
			v = m.fillLocked(key, args)
			track = track && v.Elems[0].Int == 1
		case name == "renew":
			v = m.renewLocked(key, args)
		case name == "release":
			v = m.releaseLocked(key, args)
		case name == "invalidate":
			v = m.invalidateLocked(key)
		case name == "entomb":
			v = m.entombLocked(key, args)
		case name == "bar":
			v = m.barLocked(key, args)
		case name == "lift":
			v = m.liftLocked(key, args)
		case name == "capture":
			v = m.captureLocked(key, args)
		case name == "bump":
			v = m.bumpLocked(key, args)
		default:
			known = false
		}
		if track && (name == "fill" || name == "capture") { // they end with a read
			c.tracked[key] = true
		}
		return v
	})
	if !known {
		return v, &conn.Error{Op: "eval", Err: fmt.Errorf("model: an unknown script")}
	}
	return v, nil
}

// EvalEach executes calls one after the other.
func (c *Conn) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return c.each(len(calls), func(i int) (conn.Value, error) { return c.Eval(ctx, s, calls[i].Keys, calls[i].Args) })
}

// Scan calls fn once with the keys that match.
func (c *Conn) Scan(_ context.Context, pattern string, fn func([]string) error) error {
	var found []string
	for _, key := range c.m.Keys() {
		if ok, err := path.Match(pattern, key); ok && err == nil {
			found = append(found, key)
		}
	}
	return fn(found)
}

// Subscribe is not what a model has.
func (c *Conn) Subscribe(context.Context, conn.Subscription, func(conn.Message)) error {
	return &conn.Error{Op: "subscribe", Err: conn.ErrUnavailable}
}

// Tracker reads with pushes.
func (c *Conn) Tracker() (conn.Tracker, bool) { return tracker{c}, true }

// Incarnation is the model's.
func (c *Conn) Incarnation(string) (uint64, bool) {
	return binary.BigEndian.Uint64([]byte(c.m.life)), true
}

// Capabilities says what it is.
func (c *Conn) Capabilities() conn.Capabilities {
	return conn.Capabilities{Server: "model", Tracking: true}
}

// Close does nothing.
func (c *Conn) Close() error { return nil }

// tracker is the same client, whose reads are tracked.
type tracker struct{ c *Conn }

func (t tracker) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	return t.c.command(ctx, cmd, true)
}

func (t tracker) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return t.c.each(len(cmds), func(i int) (conn.Value, error) { return t.Do(ctx, cmds[i]) })
}

func (t tracker) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return t.c.eval(ctx, s, keys, args, true)
}

func (t tracker) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return t.c.each(len(calls), func(i int) (conn.Value, error) { return t.Eval(ctx, s, calls[i].Keys, calls[i].Args) })
}

func (t tracker) Epoch(string) *conn.Epoch { return &t.c.epoch }

func (t tracker) Listen(fn func([]string)) (stop func()) {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	t.c.last++
	id := t.c.last
	t.c.listen[id] = fn
	return func() {
		t.c.mu.Lock()
		defer t.c.mu.Unlock()
		delete(t.c.listen, id)
	}
}

func (t tracker) Announce(keys ...string) {
	if len(keys) > 0 {
		t.c.notify(keys)
	}
}
