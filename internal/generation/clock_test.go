package generation

import (
	"context"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

// put writes a generation as a node would have whose clock was ahead.
func put(t *testing.T, c conn.Conn, key string, v Value) {
	t.Helper()
	be := binary.BigEndian
	raw := be.AppendUint64(nil, v.Number)
	raw = be.AppendUint64(raw, v.Incarnation)
	raw = be.AppendUint64(raw, uint64(v.MadeAt))
	raw = be.AppendUint64(raw, v.Previous)
	raw = be.AppendUint64(raw, uint64(v.Over))
	if _, err := c.Do(t.Context(), conn.Key("SET", key, string(raw)+v.By)); err != nil {
		t.Fatal(err)
	}
}

// drifting is a connection to a node whose clock runs a little fast, as one does while
// NTP slews it: 500 parts per million is what it may.
type drifting struct {
	conn.Conn
	since time.Time
}

func (d drifting) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	results := d.Conn.EvalEach(ctx, s, calls...)
	if s == captureScript {
		for _, r := range results {
			r.Value.Elems[1].Int += int64(time.Since(d.since)) / 2000 / int64(time.Millisecond)
		}
	}
	return results
}

func TestCaptureLateAllowsForClocksThatDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engine(t)
		c := e.Connect()
		defer func() { _ = c.Close() }()
		tab := table(t, c, time.Hour)
		capture(t, tab, TagKey("x"))
		time.Sleep(time.Second)
		slow := NewTable(drifting{c, time.Now()}, time.Hour, time.Second)
		g, out, ok := slow.Get(TagKey("x")), make([]Value, 1), make([]bool, 1)
		b := slow.Begin("n:k", 0)
		b.node = 0 // the lease's node is another one
		time.Sleep(2 * time.Millisecond)
		if err := Bump(t.Context(), c, TagKey("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // the default LoadTimeout
		if err := slow.CaptureLate(t.Context(), []*Generation{g}, []Beginning{b}, out, ok); err != nil {
			t.Fatal(err)
		}
		if ok[0] {
			t.Error("a tag that was bumped 2 ms after a load of 30 s began was accepted")
		}
	})
}

// Whatever bytes stand under the key, the next load makes a generation that counts.
func TestCaptureReplacesWhatDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine(t).Connect()
		defer func() { _ = c.Close() }()
		life, known := c.Incarnation(TagKey("x"))
		if !known {
			t.Fatal("no incarnation")
		}
		long := make([]byte, 200)
		for name, v := range map[string]Value{
			"number zero":      {Incarnation: life, MadeAt: 1},
			"longer than any":  {Number: 7, Incarnation: life, MadeAt: 1, By: string(long)},
			"of another life":  {Number: 7, Incarnation: life + 1, MadeAt: 1},
			"made at all ones": {Number: 7, Incarnation: life, MadeAt: -1},
		} {
			put(t, c, TagKey("x"), v)
			if n := capture(t, table(t, c, time.Hour), TagKey("x"))[0]; n == 0 {
				t.Errorf("%s: captured no number: nothing with this tag is ever cached", name)
			}
		}
	})
}
