package redisconn

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// gets is one read by each way of a handle.
func gets(t *testing.T, c *Conn) map[string]func(ctx context.Context) error {
	t.Helper()
	script := conn.NewScript("return 1")
	ways := make(map[string]func(ctx context.Context) error)
	add := func(name string, d interface {
		conn.Doer
		conn.Pipeliner
		conn.Evaler
	},
	) {
		ways[name+".Do"] = func(ctx context.Context) error { _, err := d.Do(ctx, conn.Key("GET", "k")); return err }
		ways[name+".Do other"] = func(ctx context.Context) error { _, err := d.Do(ctx, conn.Key("STRLEN", "k")); return err }
		ways[name+".Pipeline"] = func(ctx context.Context) error {
			return d.Pipeline(ctx, conn.Key("GET", "k"), conn.Key("GET", "l"))[1].Err
		}
		ways[name+".Eval"] = func(ctx context.Context) error { _, err := d.Eval(ctx, script, []string{"k"}, nil); return err }
		ways[name+".EvalEach"] = func(ctx context.Context) error {
			return d.EvalEach(ctx, script, conn.ScriptCall{Keys: []string{"k"}})[0].Err
		}
	}
	add("Conn", c)
	add("Tracker", tracking(t, c))
	ways["Conn.Scan"] = func(ctx context.Context) error { return c.Scan(ctx, "*", func([]string) error { return nil }) }
	return ways
}

// untilRefused calls until every way is refused at once for want.
func untilRefused(t *testing.T, c *Conn, want error) {
	t.Helper()
	for name, get := range gets(t, c) {
		eventually(t, func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := get(ctx); !errors.Is(err, want) {
				return errors.Join(errors.New(name+" is not refused"), err)
			}
			return nil
		})
	}
}

// untilAnswered calls until every way works.
func untilAnswered(t *testing.T, c *Conn) {
	t.Helper()
	for _, get := range gets(t, c) {
		eventually(t, func() error { return get(t.Context()) })
	}
}

func (c *Conn) shutters() []*gate {
	var all []*gate
	for _, client := range c.clients() {
		all = append(all, client.gates.all()...)
	}
	return all
}

// inFlight is how many calls the library was given and has not answered.
func (c *Conn) inFlight() (n int64) {
	for _, g := range c.shutters() {
		n += g.inFlight.Load()
	}
	return n
}

func TestSilentServerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr())
	d := &dialler{}
	c := openVia(t, p.url(), d, Options{
		SilenceTimeout: 20 * time.Millisecond, CutTimeout: time.Hour, Heartbeat: 5 * time.Millisecond, KeepAlive: time.Hour,
	})
	untilAnswered(t, c)
	p.freeze()
	untilRefused(t, c, errSilent)

	dials, entered := d.dials.Load(), c.inFlight()
	for name, get := range gets(t, c) {
		for range 500 {
			err := get(context.Background())
			var ce *conn.Error
			if !errors.As(err, &ce) || !errors.Is(err, conn.ErrUnavailable) || !strings.Contains(ce.Hint, "silent for") {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if d.dials.Load() != dials || c.inFlight() != entered {
		t.Errorf("refused calls dialled %d times, and %d reached the library", d.dials.Load()-dials, c.inFlight()-entered)
	}
	p.thaw()
	untilAnswered(t, c)
	if d.dials.Load() != dials {
		t.Errorf("%d connections were opened; the old ones are good", d.dials.Load()-dials)
	}
}

// TestHalfAReply: the beginning of an answer opens the gate, and then the silence
// is noticed again though nobody writes.
func TestHalfAReply(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr())
	c := open(t, p.url(), Options{
		SilenceTimeout: 20 * time.Millisecond, CutTimeout: time.Hour, Heartbeat: 5 * time.Millisecond, KeepAlive: time.Hour,
	})
	p.set(func() { p.hold, p.pass = true, 3 })
	untilRefused(t, c, errSilent)
	p.cut()
	p.thaw()
	untilAnswered(t, c)
}

func TestSilentConnectionIsCut(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr())
	d := &dialler{}
	c := openVia(t, p.url(), d, Options{
		SilenceTimeout: 10 * time.Millisecond, CutTimeout: 50 * time.Millisecond, Heartbeat: 5 * time.Millisecond, ReadWires: 2,
	})
	epoch := tracking(t, c).Epoch("k")
	before := epoch.Load()
	p.freeze()
	// Who waits without a deadline is set free; who comes later does not wait.
	flights := make(chan error, 10)
	for range cap(flights) {
		go func() {
			_, err := tracking(t, c).Do(context.Background(), conn.Key("GET", "k"))
			flights <- err
		}()
	}
	for range cap(flights) {
		if err := next(t, flights, "a call on a silent connection"); !errors.Is(err, conn.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	eventually(t, func() error {
		if d.dials.Load() < 10 || epoch.Load() == before {
			return errors.New("the connections are not replaced")
		}
		_, err := c.Do(context.Background(), conn.Key("GET", "k"))
		if err == nil {
			return errors.New("answered by nobody")
		}
		return nil
	})
	if _, known := c.Incarnation("k"); known {
		t.Error("without a connection the incarnation is not known")
	}
	p.thaw()
	untilAnswered(t, c)
	if n := d.foreign.Load(); n > 0 {
		t.Errorf("callers dialled %d times", n)
	}
}

// TestAbandonedCallsDoNotPileUp gives up calls faster than anything notices that
// the server is silent.
func TestAbandonedCallsDoNotPileUp(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr())
	c := open(t, p.url(), Options{SilenceTimeout: time.Hour, KeepAlive: time.Hour, Heartbeat: 5 * time.Millisecond})
	p.freeze()
	const calls, callers = 5000, 100
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls / callers {
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				if _, err := c.Do(ctx, conn.Key("GET", "k")); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	g := c.plain.gate
	if n := g.inFlight.Load(); n != maxInFlight || g.inside() != 0 {
		t.Errorf("%d calls are on their way, %d of them with a caller", n, g.inside())
	}
	if n := runtime.NumGoroutine() - before; n > maxInFlight+500 { // other tests run too
		t.Errorf("%d goroutines more", n)
	}
	// One who waits for room is let in when the server goes on.
	waiting := make(chan error, 1)
	go func() {
		_, err := c.Do(context.Background(), conn.Key("GET", "k"))
		waiting <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, conn.Key("GET", "k")); !errors.Is(err, context.Canceled) {
		t.Errorf("a call whose context has ended gets %v", err)
	}
	p.thaw()
	if err := next(t, waiting, "the call that waits"); err != nil {
		t.Error(err)
	}
	eventually(t, func() error {
		if n := g.inFlight.Load(); n != 0 {
			return errors.New("places are still taken")
		}
		return nil
	})
}

// TestGoneServer stops, freezes and restarts a real server.
func TestGoneServer(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ leave, comeBack func(*redistest.Server) }{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Restart},
		"paused":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			d := &dialler{}
			c := openVia(t, s.URL(), d, Options{
				SilenceTimeout: 20 * time.Millisecond, CutTimeout: 200 * time.Millisecond, Heartbeat: 10 * time.Millisecond,
			})
			untilAnswered(t, c)
			x.leave(s)
			untilRefused(t, c, conn.ErrUnavailable)
			eventually(t, func() error { // no connection any more: nothing reaches the library
				for _, g := range c.shutters() {
					if g.state.Load() != gateDown {
						return errors.New("a gate is not shut")
					}
				}
				return nil
			})
			for name, get := range gets(t, c) {
				for range 100 {
					if err := get(context.Background()); !errors.Is(err, conn.ErrUnavailable) {
						t.Fatalf("%s: %v", name, err)
					}
				}
			}
			x.comeBack(s)
			untilAnswered(t, c)
			if n := d.foreign.Load(); n > 0 {
				t.Errorf("callers dialled %d times", n)
			}
		})
	}
}
