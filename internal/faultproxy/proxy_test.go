package faultproxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/faultproxy"
	"github.com/larder-go/larder/internal/redistest"
)

// patience is for what must happen; a loaded machine may take its time.
const patience = 30 * time.Second

func open(t *testing.T) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.Open(t.Context(), faultproxy.Options{Target: redistest.Shared(t).Addr(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// client speaks with the server line by line.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, c, bufio.NewReader(c)}
}

func (c *client) say(cmds ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.Join(cmds, "\r\n")+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// hears reads as much as want is long and compares.
func (c *client) hears(want string) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.r, got)
	if string(got[:n]) != want {
		c.t.Fatalf("heard %q, %v, want %q", got[:n], err, want)
	}
}

// ends reads until the connection does.
func (c *client) ends() (rest string) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c.r)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		c.t.Fatal("the connection is still open")
	}
	return string(b)
}

// runs makes keys differ where tests run several times.
var runs atomic.Int64

func newKey(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(t.Name(), ":", runs.Add(1))
}

// track makes a client hear of a key, and pushed is what it then hears.
func (c *client) track(key string) (pushed string) {
	c.t.Helper()
	c.say("HELLO 3", "CLIENT TRACKING ON", "GET "+key)
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if line == "+OK\r\n" { // of CLIENT TRACKING; HELLO answers with a map
			break
		}
	}
	c.hears("_\r\n")
	return fmt.Sprintf(">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n", len(key), key)
}

func TestCarriesWhatIsSaid(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	c := dial(t, open(t).Addr())
	big := strings.Repeat("x", 300_000)
	c.say("SET "+key+" "+big[:50_000], "APPEND "+key+" "+big[:50_000], "GET "+key, "LRANGE none 0 -1", "NOSUCH")
	c.hears("+OK\r\n:100000\r\n$100000\r\n" + big[:100_000] + "\r\n*0\r\n-ERR unknown command")
}

func TestDelaysRepliesInOrder(t *testing.T) {
	t.Parallel()
	p := open(t)
	c := dial(t, p.Addr())
	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.DelayReplies, By: 20 * time.Millisecond})
	for i := range 20 {
		c.say(fmt.Sprintf("ECHO %02d", i))
	}
	for i := range 20 {
		c.hears(fmt.Sprintf("$2\r\n%02d\r\n", i))
	}
	heal()
	if n := p.Touched()[faultproxy.DelayReplies]; n != 20 {
		t.Errorf("%d replies were delayed", n)
	}
}

func TestCutsHalfWay(t *testing.T) {
	t.Parallel()
	p := open(t)
	c := dial(t, p.Addr())
	p.Inject(faultproxy.Fault{Kind: faultproxy.CutReply})
	c.say("ECHO 0123456789")
	if got := c.ends(); got != "$10\r\n012" {
		t.Errorf("heard %q", got)
	}
}

// The server does not hear what is held, and does when the fault ends.
func TestHoldsRequests(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	p := open(t)
	c, direct := dial(t, p.Addr()), dial(t, redistest.Shared(t).Addr())
	c.say("PING")
	c.hears("+PONG\r\n")
	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.HoldRequests})
	c.say("SET " + key + " v")
	touched(t, p, faultproxy.HoldRequests)
	direct.say("GET " + key)
	direct.hears("$-1\r\n")
	heal()
	heal()
	c.hears("+OK\r\n")
}

// touched waits until a fault has befallen something.
func touched(t *testing.T, p *faultproxy.Proxy, k faultproxy.Kind) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for p.Touched()[k] == 0 {
		select {
		case <-deadline:
			t.Fatalf("nothing was befallen by %v", k)
		case <-tick.C:
		}
	}
}

// The server hears and executes, the client learns nothing of it.
func TestHoldsRepliesThenCuts(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	p := open(t)
	c, direct := dial(t, p.Addr()), dial(t, redistest.Shared(t).Addr())
	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.HoldReplies, ThenCut: true})
	c.say("SET " + key + " v")
	touched(t, p, faultproxy.HoldReplies)
	direct.say("GET " + key)
	direct.hears("$1\r\nv\r\n")
	heal()
	if got := c.ends(); got != "" && got != "+OK\r\n" {
		t.Errorf("heard %q", got)
	}
}

func TestDropsPushesThenCuts(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	p := open(t)
	c, other := dial(t, p.Addr()), dial(t, p.Addr())
	direct := dial(t, redistest.Shared(t).Addr())
	c.track(key)
	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.DropPushes})
	direct.say("SET " + key + " v")
	direct.hears("+OK\r\n")
	touched(t, p, faultproxy.DropPushes)
	c.say("PING")
	c.hears("+PONG\r\n") // replies pass, and no push came before
	heal()
	if got := c.ends(); got != "" {
		t.Errorf("heard %q", got)
	}
	other.say("PING")
	other.hears("+PONG\r\n") // it has lost nothing
}

// A delayed push holds back the replies behind it: they have one order.
func TestDelayedPushKeepsItsPlace(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	p := open(t)
	c := dial(t, p.Addr())
	push := c.track(key)
	p.Inject(faultproxy.Fault{Kind: faultproxy.DelayPushes, By: 50 * time.Millisecond})
	direct := dial(t, redistest.Shared(t).Addr())
	direct.say("SET " + key + " v")
	direct.hears("+OK\r\n")
	c.say("PING")
	c.hears(push + "+PONG\r\n")
}

func TestRefusesNewConnections(t *testing.T) {
	t.Parallel()
	p := open(t)
	c := dial(t, p.Addr())
	c.say("PING")
	c.hears("+PONG\r\n")
	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.Refuse})
	dial(t, p.Addr()).ends()
	c.say("PING")
	c.hears("+PONG\r\n")
	heal()
	d := dial(t, p.Addr())
	d.say("PING")
	d.hears("+PONG\r\n")
	p.Cut()
	d.ends()
}

// Close must not wait for what is held, nor for clients.
func TestCloseEndsWhatIsHeld(t *testing.T) {
	t.Parallel()
	p := open(t)
	c := dial(t, p.Addr())
	p.Inject(faultproxy.Fault{Kind: faultproxy.HoldReplies})
	p.Inject(faultproxy.Fault{Kind: faultproxy.HoldRequests})
	c.say("PING")
	touched(t, p, faultproxy.HoldRequests)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	c.ends()
}

func TestOpenRefusesABadTarget(t *testing.T) {
	t.Parallel()
	if _, err := faultproxy.Open(t.Context(), faultproxy.Options{Target: "nowhere"}); err == nil || !strings.Contains(err.Error(), `Options.Target is "nowhere"`) {
		t.Errorf("%v", err)
	}
}
