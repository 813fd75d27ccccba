package cachetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// patience is how long the suites wait for an event before they give up.
const patience = 10 * time.Second

// RunConn checks a backend against the contract of package conn.
//
// open returns a new handle each time it is called. All handles of one RunConn
// must lead to the same server (or engine), so that each sees what the others
// write, and nobody else may use that server meanwhile: the suite deletes keys
// and scripts. open must not close what it returns; the suite does, and closes
// some of them in the middle of a test.
func RunConn(t *testing.T, open func(t *testing.T) conn.Conn) {
	t.Helper()
	s := &connSuite{open: open}
	for _, g := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"Reply", s.replies},
		{"Pipeline", s.pipelines},
		{"Transaction", s.transactions},
		{"Script", s.scripts},
		{"Context", s.contexts},
		{"Scan", s.scans},
		{"Subscribe", s.subscriptions},
		{"Monitor", s.monitors},
		{"Node", s.nodes},
		{"Blocking", s.blocking},
		{"Incarnation", s.incarnation},
		{"Heard", s.heard},
		{"Tracker", s.trackers},
		{"Close", s.closing},
		{"Concurrent", s.concurrent},
	} {
		t.Run(g.name, g.run)
	}
}

// connSuite is one run of RunConn.
type connSuite struct {
	open func(t *testing.T) conn.Conn
}

// handle opens a handle and closes it at the end of the test.
func (s *connSuite) handle(t *testing.T) conn.Conn {
	t.Helper()
	c := s.open(t)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// unique numbers the keys of all suites of this process.
var unique atomic.Uint64

// key is a name that no other test uses.
func key(name string) string {
	return fmt.Sprintf("cachetest:%d:%d:%s", time.Now().UnixNano(), unique.Add(1), name)
}

// tagged are n keys of one slot.
func tagged(n int) []string {
	tag := key("tag")
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("{%s}%d", tag, i)
	}
	return keys
}

// must sends a command that has to succeed.
func must(t *testing.T, c conn.Doer, cmd conn.Command) conn.Value {
	t.Helper()
	v, err := c.Do(t.Context(), cmd)
	if err != nil {
		t.Fatalf("%s: %v", cmd.Name(), err)
	}
	return v
}

// soon returns a context that ends when patience does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// next receives from ch, or fails the test when patience ends.
func next[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-ch:
		return v
	case <-timer.C:
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}
