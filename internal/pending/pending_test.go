package pending

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/generation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flaky is a real connection that can be cut.
type flaky struct {
	conn.Conn
	down  atomic.Bool
	tries chan struct{} // one for each call while it is down
}

var errDown = &conn.Error{Op: "test", Err: errors.New("cut")}

func (f *flaky) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	if !f.cut() {
		return f.Conn.Pipeline(ctx, cmds...)
	}
	return failures(len(cmds))
}

func (f *flaky) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	if !f.cut() {
		return f.Conn.EvalEach(ctx, s, calls...)
	}
	return failures(len(calls))
}

func (f *flaky) cut() bool {
	if !f.down.Load() {
		return false
	}
	select {
	case f.tries <- struct{}{}:
	default:
	}
	return true
}

func failures(n int) []conn.Result {
	rs := make([]conn.Result, n)
	for i := range rs {
		rs[i].Err = errDown
	}
	return rs
}

func newFlaky(t *testing.T) *flaky {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &flaky{Conn: c, tries: make(chan struct{}, 100)}
}

func exists(t *testing.T, c conn.Conn, key string) bool {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key("EXISTS", key))
	if err != nil {
		t.Fatal(err)
	}
	return v.Int == 1
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not in time: " + what)
		}
	}
}

func TestDeliversWhenTheServerIsBack(t *testing.T) {
	c := newFlaky(t)
	for _, key := range []string{"n:a", "n:b"} {
		if _, err := c.Do(t.Context(), conn.Key("SET", key, "old")); err != nil {
			t.Fatal(err)
		}
	}
	tag := generation.TagKey("t")
	c.down.Store(true)
	q := New(c, c, nil)
	q.Add("~ns:n", []string{"n:a", "n:b"}, nil)
	q.Add("~ns:n", nil, []string{tag})
	for range 3 {
		<-c.tries
	}
	if q.Len() != 3 || !q.Blocks("n:a") || !q.Blocks("x", tag) || q.Blocks("n:c") {
		t.Errorf("%d pending", q.Len())
	}
	c.down.Store(false)
	until(t, "delivered", func() bool { return q.Len() == 0 })
	if exists(t, c, "n:a") || exists(t, c, "n:b") || !exists(t, c, tag) || q.Blocks("n:a") {
		t.Error("delivered, but not in the server")
	}
	q.Add("~ns:n", []string{"n:c"}, nil) // the goroutine starts again
	until(t, "delivered again", func() bool { return q.Len() == 0 })
	if err := q.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCloseTriesOnceMoreAndSaysWhatIsLost(t *testing.T) {
	c := newFlaky(t)
	c.down.Store(true)
	q := New(c, c, nil)
	q.Add("~ns:n", []string{"n:a"}, nil)
	if err := q.Close(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("Close: %v", err)
	}
	q = New(c, c, nil)
	q.Add("~ns:n", []string{"n:a"}, nil)
	<-c.tries
	c.down.Store(false)
	if err := q.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestManyKeysGiveWayToTheirNamespace(t *testing.T) {
	c := newFlaky(t)
	c.down.Store(true)
	q := New(c, c, nil)
	keys := make([]string, Max+1)
	for i := range keys {
		keys[i] = fmt.Sprintf("n:%d", i)
	}
	q.Add("~ns:n", keys, nil)
	if q.Len() != 1 || !q.Blocks("~ns:n") {
		t.Errorf("%d pending, want the namespace alone", q.Len())
	}
	c.down.Store(false)
	until(t, "delivered", func() bool { return q.Len() == 0 })
	if !exists(t, c, "~ns:n") {
		t.Error("the namespace has no new generation")
	}
	if err := q.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosedConnectionEndsTheQueue(t *testing.T) {
	c := newFlaky(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	q := New(c, c, nil)
	q.Add("~ns:n", []string{"n:a"}, nil)
	q.done.Wait() // the goroutine gives up: nothing can be delivered any more
	if err := q.Close(t.Context()); !errors.Is(err, conn.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
}
