package redisconn

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/scripted"
)

// onScript runs test in a bubble with a handle on a scripted server.
func onScript(t *testing.T, o Options, test func(t *testing.T, s *scripted.Server, c *Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		s := scripted.New(e)
		t.Cleanup(s.Close)
		o.Dial = s.Dial
		test(t, s, open(t, scripted.URL, o))
	})
}

// Who gives up on a server that has fallen silent has company: the next one is
// not let in to find out for himself. A cache gives up after three quarters of its
// timeout of 250 ms at the earliest.
func TestSilenceIsNoticedBeforeTheFirstCallerGivesUp(t *testing.T) {
	const patience = 250 * time.Millisecond * 3 / 4
	for name, kind := range map[string]scripted.Kind{
		"frozen": scripted.Freeze, "half an answer": scripted.Half,
	} {
		for offset := range 10 { // of heartbeats and of the watcher
			t.Run(name, func(t *testing.T) {
				onScript(t, Options{}, func(t *testing.T, s *scripted.Server, c *Conn) {
					<-time.After(time.Duration(offset) * 29 * time.Millisecond)
					synctest.Wait()
					s.Break(scripted.Fault{Kind: kind})
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					if _, err := c.Do(ctx, conn.Key("GET", "k")); !errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("got %v", err)
					}
					start := time.Now()
					if _, err := c.Do(t.Context(), conn.Key("GET", "k")); !errors.Is(err, errSilent) {
						t.Errorf("got %v, want the refusal", err)
					}
					if d := time.Since(start); d > 0 {
						t.Errorf("it took %v", d)
					}
				})
			})
		}
	}
}

// Whatever the server does to a new connection, Open is back with its context.
func TestOpenIsBackInTime(t *testing.T) {
	const deadline = 100 * time.Millisecond
	for name, kind := range map[string]scripted.Kind{
		"frozen": scripted.Freeze, "mute": scripted.Mute, "half answers": scripted.Half,
		"dies": scripted.Die, "dies answering": scripted.DieAnswering, "refuses": scripted.Refuse, "unreachable": scripted.Hang,
	} {
		for _, on := range []string{"HELLO", "INFO"} {
			t.Run(name+" "+on, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e, err := embedded.New(embedded.Options{})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = e.Close() })
					s := scripted.New(e)
					t.Cleanup(s.Close)
					s.Break(scripted.Fault{Kind: kind, On: scripted.Commands(on)})
					ctx, cancel := context.WithTimeout(t.Context(), deadline)
					defer cancel()
					start := time.Now()
					if _, err := Open(ctx, scripted.URL, Options{Dial: s.Dial}); !errors.Is(err, conn.ErrUnavailable) {
						t.Errorf("got %v", err)
					}
					if d := time.Since(start); d > deadline {
						t.Errorf("it took %v", d)
					}
					synctest.Wait()
					if n := s.Connections(); n > 0 && kind != scripted.Freeze {
						t.Errorf("%d connections are left", n)
					}
				})
			})
		}
	}
}
