package scripted

import (
	"bufio"
	"context"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// session is one connection of a client.
type session struct {
	s    *Server
	end  *end
	c    *embedded.Conn
	stop func() // ends the pushes

	// Protected by the server's mu.
	tracking bool
	queue    []*line
	over     bool
}

// line is what the server is about to say.
type line struct {
	Exchange
	bytes []byte
	due   time.Time // not to be sent before
	last  bool      // the connection ends with it
}

func newSession(s *Server, e *end) *session {
	return &session{s: s, end: e, c: s.engine.Connect(), stop: func() {}}
}

// close ends the connection; its goroutines see to the rest.
func (n *session) close() {
	n.s.change(func() { n.over = true })
	_ = n.end.Close()
}

// listen reads commands and executes them, one after the other.
func (n *session) listen() {
	defer func() {
		n.stop()
		_ = n.c.Close()
	}()
	r := bufio.NewReader(n.end)
	for {
		args, err := readCommand(r)
		if err != nil || len(args) == 0 {
			n.close()
			return
		}
		args[0] = strings.ToUpper(args[0])
		x, alive := n.admit(args)
		if !alive { // what was said before may still be heard
			n.say(&line{Exchange: x, last: true})
			return
		}
		n.say(&line{Exchange: x, bytes: appendValue(nil, n.execute(args)), last: args[0] == "QUIT"})
	}
}

// admit waits until the command may be executed; false means never.
func (n *session) admit(args []string) (x Exchange, alive bool) {
	s := n.s
	s.mu.Lock()
	defer s.mu.Unlock()
	x = s.exchangeLocked(n, args)
	for s.faultLocked(x, Freeze) != nil && !n.over {
		s.cond.Wait()
	}
	return x, !n.over && s.faultLocked(x, Die) == nil
}

// say queues a line. It does not wait: pushes come from other sessions.
func (n *session) say(l *line) {
	n.s.change(func() {
		if f := n.s.faultLocked(l.Exchange, Delay); f != nil && !l.Push {
			l.due = time.Now().Add(f.By)
			time.AfterFunc(f.By, func() { n.s.change(func() {}) })
		}
		n.queue = append(n.queue, l)
	})
}

// talk sends what is queued, in order, as far as the faults let it.
func (n *session) talk() {
	defer n.s.forget(n)
	for {
		l, ok := n.next()
		if !ok {
			return
		}
		if !n.send(l) || l.last {
			n.close()
			return
		}
	}
}

func (n *session) next() (*line, bool) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	for len(n.queue) == 0 && !n.over {
		n.s.cond.Wait()
	}
	if n.over {
		return nil, false
	}
	l := n.queue[0]
	n.queue = n.queue[1:]
	return l, true
}

// send tells whether the whole line was sent.
func (n *session) send(l *line) bool {
	hold := []Kind{Mute}
	if l.Push {
		hold = []Kind{HoldPushes, Mute, Freeze}
	}
	if !n.wait(func() bool { return n.s.faultLocked(l.Exchange, hold...) != nil || time.Now().Before(l.due) }) {
		return false
	}
	rest := l.bytes
	if !l.Push && n.befallen(l, Half, DieAnswering) {
		if _, err := n.end.Write(rest[:len(rest)/2]); err != nil || n.befallen(l, DieAnswering) {
			return false
		}
		rest = rest[len(rest)/2:]
		if !n.wait(func() bool { return n.s.faultLocked(l.Exchange, Half) != nil }) {
			return false
		}
	}
	_, err := n.end.Write(rest)
	return err == nil
}

func (n *session) befallen(l *line, kinds ...Kind) bool {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	return n.s.faultLocked(l.Exchange, kinds...) != nil
}

// wait waits while held returns true; false means that the connection is over.
func (n *session) wait(held func() bool) bool {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	for held() && !n.over {
		n.s.cond.Wait()
	}
	return !n.over
}

// execute answers what concerns the connection, and has the engine answer the
// rest.
func (n *session) execute(args []string) conn.Value {
	ok := conn.Value{Kind: conn.Status, Str: "OK"}
	switch args[0] {
	case "HELLO":
		return hello
	case "PING":
		return conn.Value{Kind: conn.Status, Str: "PONG"}
	case "QUIT":
		return ok
	case "CLIENT":
		if len(args) > 2 && strings.EqualFold(args[1], "TRACKING") && strings.EqualFold(args[2], "ON") {
			n.track()
		}
		return ok
	}
	cmd := conn.Command{Args: args}
	var v conn.Value
	var err error
	if tr, _ := n.c.Tracker(); n.tracking { // set by this goroutine
		v, err = tr.Do(context.Background(), cmd)
	} else {
		v, err = n.c.Do(context.Background(), cmd)
	}
	if se, ok := err.(*conn.ServerError); ok { //nolint:errorlint // the engine does not wrap it
		return conn.Value{Kind: conn.Failure, Str: se.Text}
	}
	if err != nil {
		return conn.Value{Kind: conn.Failure, Str: "ERR " + err.Error()}
	}
	return v
}

// hello is the reply to HELLO 3.
var hello = conn.Value{Kind: conn.Map, Elems: []conn.Value{
	{Kind: conn.Bulk, Str: "server"},
	{Kind: conn.Bulk, Str: "redis"},
	{Kind: conn.Bulk, Str: "version"},
	{Kind: conn.Bulk, Str: embedded.Version},
	{Kind: conn.Bulk, Str: "proto"},
	{Kind: conn.Int, Int: 3},
	{Kind: conn.Bulk, Str: "mode"},
	{Kind: conn.Bulk, Str: "standalone"},
	{Kind: conn.Bulk, Str: "role"},
	{Kind: conn.Bulk, Str: "master"},
}}

// track begins to push invalidations.
func (n *session) track() {
	tr, _ := n.c.Tracker()
	n.s.change(func() { n.tracking = true })
	n.stop()
	n.stop = tr.Listen(func(keys []string) {
		n.say(&line{Exchange: Exchange{Tracking: true, Push: true}, bytes: appendPush(nil, keys)})
	})
}
