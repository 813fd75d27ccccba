package scripted_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/scripted"
)

// in runs test in a bubble with a server, and what writes to its engine.
func in(t *testing.T, test func(t *testing.T, s *scripted.Server, w conn.Doer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		s := scripted.New(e)
		t.Cleanup(s.Close)
		test(t, s, e.Connect())
	})
}

func dial(t *testing.T, s *scripted.Server) net.Conn {
	t.Helper()
	c, err := s.Dial(t.Context(), "tcp", "x")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// send sends commands, a line each.
func send(t *testing.T, c net.Conn, cmds ...string) {
	t.Helper()
	for _, cmd := range cmds {
		var b strings.Builder
		args := strings.Fields(cmd)
		b.WriteString("*" + string(rune('0'+len(args))) + "\r\n")
		for _, a := range args {
			b.WriteString("$" + string(rune('0'+len(a))) + "\r\n" + a + "\r\n")
		}
		if _, err := io.WriteString(c, b.String()); err != nil {
			t.Fatal(err)
		}
	}
}

// heard is what has come by now; ok tells whether the connection is open.
func heard(t *testing.T, c net.Conn) (text string, ok bool) {
	t.Helper()
	synctest.Wait()
	if err := c.SetReadDeadline(time.Now().Add(time.Nanosecond)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(bufio.NewReader(c))
	var late net.Error
	return string(b), errors.As(err, &late) && late.Timeout()
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	if got, ok := heard(t, c); got != want || !ok {
		t.Errorf("heard %q, open %t; want %q", got, ok, want)
	}
}

func TestFaults(t *testing.T) {
	const reply = "$5\r\nvalue\r\n"
	for name, tt := range map[string]struct {
		kind         scripted.Kind
		first, later string // what is heard before and after mend
		dies         bool
	}{
		"Freeze":       {kind: scripted.Freeze, later: reply + reply},
		"Mute":         {kind: scripted.Mute, later: reply + reply},
		"Half":         {kind: scripted.Half, first: reply[:5], later: reply[5:] + reply},
		"Die":          {kind: scripted.Die, dies: true},
		"DieAnswering": {kind: scripted.DieAnswering, first: reply[:5], dies: true},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, s *scripted.Server, w conn.Doer) {
				if _, err := w.Do(t.Context(), conn.Key("SET", "k", "value")); err != nil {
					t.Fatal(err)
				}
				c := dial(t, s)
				mend := s.Break(scripted.Fault{Kind: tt.kind, On: scripted.Commands("GET")})
				send(t, c, "PING", "GET k", "GET k")
				if got, ok := heard(t, c); got != "+PONG\r\n"+tt.first || ok == tt.dies {
					t.Errorf("heard %q, open %t", got, ok)
				}
				mend()
				mend()
				if got, ok := heard(t, c); got != tt.later || ok == tt.dies {
					t.Errorf("heard %q after mending, open %t", got, ok)
				}
			})
		})
	}
}

func TestFrozenServerExecutesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		kind     scripted.Kind
		executed int64
	}{"Freeze": {scripted.Freeze, 0}, "Mute": {scripted.Mute, 1}, "Die": {scripted.Die, 0}, "DieAnswering": {scripted.DieAnswering, 1}} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, s *scripted.Server, w conn.Doer) {
				s.Break(scripted.Fault{Kind: tt.kind})
				send(t, dial(t, s), "SET k v")
				synctest.Wait()
				if v, err := w.Do(t.Context(), conn.Key("EXISTS", "k")); v.Int != tt.executed || err != nil {
					t.Errorf("executed: %d, %v; want %d", v.Int, err, tt.executed)
				}
			})
		})
	}
}

func TestDelayIsExact(t *testing.T) {
	in(t, func(t *testing.T, s *scripted.Server, _ conn.Doer) {
		c := dial(t, s)
		s.Break(scripted.Fault{Kind: scripted.Delay, By: 3 * time.Second})
		start := time.Now()
		send(t, c, "PING")
		if _, err := c.Read(make([]byte, 100)); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("an answer after %v, %v", time.Since(start), err)
		}
	})
}

// A push that is held keeps back what comes after it on its connection, and
// nothing on others.
func TestHeldPushKeepsItsPlace(t *testing.T) {
	in(t, func(t *testing.T, s *scripted.Server, w conn.Doer) {
		const push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
		c, other := dial(t, s), dial(t, s)
		send(t, c, "CLIENT TRACKING ON OPTOUT", "GET k")
		expect(t, c, "+OK\r\n_\r\n")
		mend := s.Break(scripted.Fault{Kind: scripted.HoldPushes})
		if _, err := w.Do(t.Context(), conn.Key("SET", "k", "v")); err != nil {
			t.Fatal(err)
		}
		send(t, c, "PING")
		send(t, other, "GET k")
		expect(t, c, "")
		expect(t, other, "$1\r\nv\r\n")
		mend()
		expect(t, c, push+"+PONG\r\n")
		if _, err := w.Do(t.Context(), conn.Cmd("FLUSHALL")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, ">2\r\n$10\r\ninvalidate\r\n_\r\n")
	})
}

func TestNewConnections(t *testing.T) {
	in(t, func(t *testing.T, s *scripted.Server, _ conn.Doer) {
		old := dial(t, s)
		mend := s.Break(scripted.Fault{Kind: scripted.Refuse})
		if _, err := s.Dial(t.Context(), "tcp", "x"); !errors.Is(err, scripted.ErrRefused) {
			t.Errorf("got %v", err)
		}
		mend()
		s.Break(scripted.Fault{Kind: scripted.Hang})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := s.Dial(ctx, "tcp", "x"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		send(t, old, "PING")
		expect(t, old, "+PONG\r\n")
		if n := s.Dials(); n != 3 {
			t.Errorf("%d dials", n)
		}
		s.Cut()
		if _, open := heard(t, old); open || s.Connections() != 0 {
			t.Errorf("open %t, %d connections", open, s.Connections())
		}
	})
}

// A writer whom nobody reads waits, as on a network; its deadline and its own
// Close end that.
func TestFullConnection(t *testing.T) {
	in(t, func(t *testing.T, s *scripted.Server, _ conn.Doer) {
		s.Break(scripted.Fault{Kind: scripted.Freeze})
		c := dial(t, s)
		send(t, c, "PING")
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := c.Write(make([]byte, 1<<20)); err == nil || n >= 1<<20 {
			t.Errorf("%d bytes written, %v", n, err)
		}
		_ = c.SetWriteDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		if _, err := c.Write(make([]byte, 1<<20)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}
