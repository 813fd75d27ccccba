package backplane

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

// process is one link with a listener.
type process struct {
	*Link
	net *network
	ear *ear
	log *strings.Builder
}

// newProcess joins and waits until the subscription stands.
func newProcess(t *testing.T, n *network) *process {
	t.Helper()
	p := &process{net: n, ear: &ear{}, log: &strings.Builder{}}
	p.Link = Join(n, slog.New(slog.NewTextHandler(p.log, nil)))
	t.Cleanup(p.Leave)
	tr, _ := p.Tracker()
	t.Cleanup(tr.Listen(p.ear.hear))
	synctest.Wait()
	p.ear.take()
	return p
}

func (p *process) announce(keys ...string) {
	tr, _ := p.Tracker()
	tr.Announce(keys...)
}

func (p *process) epoch() *conn.Epoch {
	tr, _ := p.Tracker()
	return tr.Epoch("")
}

func TestChangesReachTheOthersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		a, b := newProcess(t, &network{Conn: e.Connect()}), newProcess(t, &network{Conn: e.Connect()})
		a.announce("user:1") // before the write …
		if got := a.ear.take(); got != "user:1" {
			t.Errorf("the process itself hears %q before Announce returns", got)
		}
		a.announce("user:1") // … and after it
		a.announce()
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := a.ear.take(); got != "user:1" {
			t.Errorf("the process itself hears %q: its own message came back", got)
		}
		if got := b.ear.take(); got != "user:1" {
			t.Errorf("the other hears %q, want one key once", got)
		}
		if n := len(a.net.sent); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}

func TestMessagesAreBatchedAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		a, b := newProcess(t, &network{Conn: e.Connect()}), newProcess(t, &network{Conn: e.Connect()})
		keys := make([]string, maxKeys+1)
		for i := range keys {
			keys[i] = fmt.Sprintf("ns:%05d", i)
		}
		a.announce(keys[:maxKeys]...)
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := len(strings.Fields(b.ear.take())); got != maxKeys {
			t.Errorf("%d keys arrived, want %d", got, maxKeys)
		}
		for _, m := range a.net.sent {
			if len(m) > maxMessage {
				t.Errorf("a message of %d bytes", len(m))
			}
		}
		a.net.sent = nil
		for _, key := range keys {
			a.announce(key)
		}
		a.announce(keys[0])
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := b.ear.take(); got != "ALL" || len(a.net.sent) != 1 {
			t.Errorf("%.50q arrived in %d messages, want one that says all", got, len(a.net.sent))
		}
		a.announce(strings.Repeat("k", maxBytes+1))
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := b.ear.take(); got != "ALL" {
			t.Errorf("%.50q arrived for what is too long", got)
		}
	})
}

func TestLinksShareOneSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect()}
		a, b := newProcess(t, n), newProcess(t, n)
		if got := subscribers(t, e); got != 1 {
			t.Fatalf("%d subscriptions, want 1", got)
		}
		a.announce("x")
		if got := b.ear.take(); got != "x" {
			t.Errorf("the other link of the process hears %q before Announce returns", got)
		}
		a.Leave()
		a.Leave()
		if got := subscribers(t, e); got != 1 {
			t.Errorf("%d subscriptions while a link is left, want 1", got)
		}
		b.Leave()
		if got := subscribers(t, e); got != 0 {
			t.Errorf("%d subscriptions after the last link", got)
		}
		if len(planes.m) != 0 {
			t.Error("a plane is remembered after its last link")
		}
		newProcess(t, n)
		if got := subscribers(t, e); got != 1 {
			t.Errorf("%d subscriptions after joining again, want 1", got)
		}
	})
}

// What was announced before Leave is published, also by a process that ends then.
func TestLeavePublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		b := newProcess(t, &network{Conn: e.Connect()})
		a := newProcess(t, &network{Conn: e.Connect()})
		w := Writer(&network{Conn: e.Connect()})
		for key, l := range map[string]*Link{"a": a.Link, "w": w} {
			tr, _ := l.Tracker()
			tr.Announce(key)
			start := time.Now()
			l.Leave()
			synctest.Wait()
			if got := b.ear.take(); got != key || time.Since(start) > 0 {
				t.Errorf("heard %q after %v, want %q at once", got, time.Since(start), key)
			}
		}
	})
}

func TestWriterTellsLinksOfItsProcessAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect()}
		a, b := newProcess(t, n), newProcess(t, &network{Conn: e.Connect()})
		over, publish := Announcing(t.Context(), n)
		tr, _ := over.Tracker()
		tr.Announce("x")
		if got := a.ear.take(); got != "x" {
			t.Errorf("heard %q", got)
		}
		publish()
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := b.ear.take(); got != "x" || len(n.sent) != 1 {
			t.Errorf("the other process heard %q in %d messages", got, len(n.sent))
		}
		if since := conn.Uptime() - time.Hour; tr.Epoch("").Heard() >= since || !tr.Epoch("").Lossy() {
			t.Error("a writer vouches for what is read")
		}
		if got, _ := Announcing(t.Context(), e.Connect()); got == nil {
			t.Error("no connection")
		} else if _, wrapped := got.(*Link); wrapped {
			t.Error("a connection that tracks was wrapped")
		}
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect()}
		p := newProcess(t, n)
		for range 10 {
			time.Sleep(heartbeat)
			synctest.Wait()
			if ago := conn.Uptime() - p.epoch().Heard(); ago > 0 {
				t.Fatalf("last heard %v ago", ago)
			}
		}
		life := p.epoch().Load()
		n.set(func(n *network) { n.lose = loseBeats })
		time.Sleep(silence - heartbeat)
		synctest.Wait()
		if ago := conn.Uptime() - p.epoch().Heard(); ago < silence-heartbeat {
			t.Errorf("heard %v ago, though heartbeats are lost", ago)
		}
		if p.epoch().Load() != life || n.subscriptions() != 1 {
			t.Error("given up too early")
		}
		time.Sleep(3 * heartbeat)
		synctest.Wait()
		if n.subscriptions() != 2 || p.epoch().Load() == life || p.epoch().Heard() != never {
			t.Errorf("%d subscriptions, heard at %v: a silent one is given up, and with it what was read", n.subscriptions(), p.epoch().Heard())
		}
		n.set(func(n *network) { n.lose = nil })
		time.Sleep(heartbeat)
		synctest.Wait()
		if ago := conn.Uptime() - p.epoch().Heard(); ago > heartbeat {
			t.Errorf("heard %v ago after all is well again", ago)
		}
	})
}

func TestLostSubscriptionEndsTheEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect()}
		p := newProcess(t, n)
		life := p.epoch().Load()
		n.cut()
		synctest.Wait()
		lost := p.epoch().Load()
		if lost == life || p.ear.take() != "ALL" || p.epoch().Heard() != never {
			t.Error("what was read is trusted after the loss")
		}
		time.Sleep(firstRetry)
		synctest.Wait()
		if p.epoch().Load() == lost || p.ear.take() != "ALL" {
			t.Error("what was read in between is trusted after the new subscription")
		}
		if conn.Uptime()-p.epoch().Heard() > firstRetry {
			t.Error("not heard of again")
		}
		if n := strings.Count(p.log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings, want 1:\n%s", n, p.log)
		}
	})
}

func TestServerThatCannotPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect(), refuse: &conn.ServerError{Text: "NOPERM no permissions to access a channel"}}
		p := newProcess(t, n)
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries := n.subscriptions(); tries < 12 || tries > 40 {
			t.Errorf("%d tries in a minute", tries)
		}
		if log := p.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "NOPERM") {
			t.Errorf("want one warning that says why:\n%s", log)
		}
		if p.epoch().Heard() != never {
			t.Error("heard of")
		}
		n.set(func(n *network) { n.refuse = nil })
		time.Sleep(lastRetry)
		synctest.Wait()
		if conn.Uptime()-p.epoch().Heard() > lastRetry {
			t.Error("not heard of when it works")
		}
	})
}

func TestUnreadableMessageMeansAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		p := newProcess(t, &network{Conn: e.Connect()})
		for _, m := range []string{"9 of the future", messages(testOrigin, nil)[0]} {
			if _, err := e.Connect().Do(context.Background(), conn.Cmd("PUBLISH", channel, m)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := p.ear.take(); got != "ALL" {
				t.Errorf("%q: heard %q", m, got)
			}
		}
		before := p.epoch().Heard()
		time.Sleep(heartbeat / 2)
		for _, m := range []string{"", "?", "zzzzzzzzzzzz", "0"} { // unreadable, of the future, of the past
			if _, err := e.Connect().Do(context.Background(), conn.Cmd("PUBLISH", p.plane().own, m)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if p.epoch().Heard() != before {
			t.Error("a false heartbeat counted")
		}
	})
}

func (p *process) plane() *plane {
	tr, _ := p.Tracker()
	return tr.(*plane)
}

func TestFailedPublicationIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect(), lose: loseNews}
		p, b := newProcess(t, n), newProcess(t, &network{Conn: e.Connect()})
		p.announce("x")
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if p.Failed() != 1 || b.ear.take() != "" {
			t.Errorf("%d failures", p.Failed())
		}
		n.set(func(n *network) { n.lose = nil })
		p.announce("y")
		time.Sleep(2 * linger) // what was announced arrives
		synctest.Wait()
		if got := b.ear.take(); p.Failed() != 1 || got != "y" {
			t.Errorf("%d failures, heard %q", p.Failed(), got)
		}
	})
}

func TestClosedConnectionEndsThePlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		n := &network{Conn: e.Connect()}
		p := newProcess(t, n)
		life := p.epoch().Load()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.epoch().Load() == life || n.subscriptions() != 1 {
			t.Errorf("%d subscriptions to what is closed", n.subscriptions())
		}
		p.announce("x")
		start := time.Now()
		p.Leave()
		if d := time.Since(start); d > 0 {
			t.Errorf("Leave took %v", d)
		}
	})
}

// stuck is a server that takes what is published and does not answer.
type stuck struct{ network }

func (s *stuck) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	<-ctx.Done()
	out := make([]conn.Result, len(cmds))
	for i := range out {
		out[i].Err = &conn.Error{Op: "publish", Err: ctx.Err()}
	}
	return out
}

func TestNobodyWaitsForASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Join(&stuck{network{Conn: newEngine(t).Connect()}}, slog.New(slog.DiscardHandler))
		tr, _ := l.Tracker()
		start := time.Now()
		for range 100 {
			tr.Announce("x")
			time.Sleep(linger)
		}
		if d := time.Since(start); d != 100*linger {
			t.Errorf("Announce waited, %v in all", d-100*linger)
		}
		start = time.Now()
		l.Leave()
		if d := time.Since(start); d > 2*publishTimeout {
			t.Errorf("Leave took %v", d)
		}
		if l.Failed() == 0 {
			t.Error("nothing was counted")
		}
	})
}

// incomparable cannot be the key of a map.
type incomparable struct {
	*network
	_ []int
}

func TestConnectionThatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		c := incomparable{network: &network{Conn: e.Connect()}}
		l := Join(c, slog.New(slog.DiscardHandler))
		synctest.Wait()
		if got := subscribers(t, e); got != 1 {
			t.Errorf("%d subscriptions", got)
		}
		w := Writer(c)
		tr, _ := w.Tracker()
		tr.Announce("x")
		w.Leave()
		l.Leave()
		if got := subscribers(t, e); got != 0 {
			t.Errorf("%d subscriptions", got)
		}
	})
}
