package redisconn

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// BenchmarkGate measures what every call pays for the gate, and what one costs
// that is refused.
func BenchmarkGate(b *testing.B) {
	for name, state := range map[string]int32{"open": gateOpen, "silent": gateSilent, "down": gateDown} {
		b.Run(name, func(b *testing.B) {
			g := newGate("", newLife())
			g.state.Store(state)
			ctx := b.Context()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := g.enter(ctx, "GET")
					if (err == nil) != (state == gateOpen) {
						b.Error(err)
						return
					}
					if err == nil {
						g.leave(nil)
					}
				}
			})
		})
	}
}

// TestSilence looks at a gate at chosen moments.
func TestSilence(t *testing.T) {
	t.Parallel()
	o := Options{SilenceTimeout: 2 * time.Second, CutTimeout: 10 * time.Second}
	const start = time.Hour
	for name, x := range map[string]struct {
		since   time.Duration // of the socket
		beating bool
		read    bool // between the two looks
		again   time.Duration
		want    int32
	}{
		"idle":                    {0, false, false, time.Hour, gateOpen},
		"owes an answer":          {start, false, false, time.Second, gateOpen},
		"owes it for long":        {start, false, false, 3 * time.Second, gateSilent},
		"heartbeat":               {0, true, false, time.Second, gateOpen},
		"heartbeat for long":      {0, true, false, 3 * time.Second, gateSilent},
		"heartbeat after a byte":  {0, true, true, 3 * time.Second, gateOpen},
		"silent for far too long": {start, false, false, 10 * time.Second, gateDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate("", newLife())
			end, other := net.Pipe()
			defer other.Close()
			s := &socket{Conn: end, raw: end, life: g.life, gate: g}
			g.attach(s)
			g.state.Store(gateOpen)
			s.since.Store(int64(x.since))
			g.beating.Store(x.beating)
			g.look(start, o)
			if x.read {
				s.reads.Add(1)
			}
			g.look(start+x.again, o)
			if got := g.state.Load(); got != x.want {
				t.Errorf("state %d, want %d", got, x.want)
			}
			if err := g.enter(t.Context(), "GET"); (err == nil) != (x.want == gateOpen) || err != nil && !errors.Is(err, conn.ErrUnavailable) {
				t.Errorf("a call gets %v", err)
			}
			if x.want == gateSilent {
				if g.spoke(); !g.open() {
					t.Error("a byte does not open the gate")
				}
			}
		})
	}
}

// TestOlderConnection: a new one that turns out not to be a master's goes, and
// the one before it is still there.
func TestOlderConnection(t *testing.T) {
	t.Parallel()
	g := newGate("", newLife())
	first, second := &socket{gate: g}, &socket{gate: g}
	g.attach(first)
	g.attach(second)
	second.fail(errCut)
	if g.socket.Load() != first {
		t.Error("the first connection is forgotten")
	}
	first.fail(errCut)
	if g.socket.Load() != nil {
		t.Error("a lost connection is kept")
	}
}

func TestView(t *testing.T) {
	t.Parallel()
	str := func(s string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: s} }
	num := func(n int64) conn.Value { return conn.Value{Kind: conn.Int, Int: n} }
	list := func(e ...conn.Value) conn.Value { return conn.Value{Kind: conn.Array, Elems: e} }
	replica := list(str("10.0.0.9"), num(7), str("id"))
	reply := list(
		list(num(100), num(16383), list(str("10.0.0.2"), num(6379), str("id")), replica),
		list(num(0), num(98), list(str(""), num(6380), str("id"))),
		list(num(99), num(99), list(str("?"), num(6380), str("id"))),
		list(num(5), num(99999), list(str("10.0.0.3"), num(1), str("id"))), list(), str("x"),
	)
	v := viewOf(reply, "[::1]:7000")
	want := []slotRange{{0, 98, "[::1]:6380"}, {99, 99, ""}, {100, 16383, "10.0.0.2:6379"}}
	if !slices.Equal(v.ranges, want) {
		t.Errorf("got %v", v.ranges)
	}
	if got := v.masters(); !slices.Equal(got, []string{"[::1]:6380", "10.0.0.2:6379"}) {
		t.Errorf("masters %v", got)
	}
	reply.Elems[0].Elems = reply.Elems[0].Elems[:3] // without its replica
	if again := viewOf(reply, "[::1]:7000"); again.digest != v.digest {
		t.Error("a replica changes the digest")
	}
}

// One who finds the gate full queues, and wakes nobody: each woken one would find
// it full too and wake the next, for as long as nothing moves.
func TestFullGateWakesNobody(t *testing.T) {
	g := newGate("", newLife())
	g.state.Store(gateOpen)
	g.inFlight.Store(maxInFlight)
	ctx, cancel := context.WithCancel(t.Context())
	first := func() chan struct{} {
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.waiters) == 0 {
			return nil
		}
		return g.waiters[0]
	}
	var wg sync.WaitGroup
	queue := func(n int32) {
		wg.Go(func() { _ = g.enter(ctx, "GET") })
		eventually(t, func() error {
			if g.waiting.Load() < n {
				return errors.New("does not queue")
			}
			return nil
		})
	}
	queue(1)
	head := first()
	queue(2)
	if first() != head {
		t.Error("the first one was woken although there is no room")
	}
	cancel()
	wg.Wait()
}
