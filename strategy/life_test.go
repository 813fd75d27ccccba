package strategy_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/strategy"
)

// mortal is a connection of a process that can die without a word.
type mortal struct {
	conn.Conn
	dead atomic.Bool
}

func (m *mortal) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	if m.dead.Load() {
		return conn.Value{}, &conn.Error{Op: "eval", Err: errors.New("the process is dead")}
	}
	return m.Conn.Eval(ctx, s, keys, args)
}

func (m *mortal) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if m.dead.Load() {
		return conn.Value{}, &conn.Error{Op: "do", Err: errors.New("the process is dead")}
	}
	return m.Conn.Do(ctx, cmd)
}

// A process is seen from a second after its start until three renewals after its death;
// what it declared, for Keep after its last renewal. Nothing is left then.
func TestLifeAndDeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		c := engine.Connect()
		m := &mortal{Conn: engine.Connect()}
		r, err := strategy.New(m, strategy.Options{Service: "shop", Version: "v1"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		begin := time.Now()
		at := func(d time.Duration, want string) {
			t.Helper()
			time.Sleep(time.Until(begin.Add(d)))
			synctest.Wait()
			if got := services(read(t, c)); got != want {
				t.Errorf("after %v: %q, want %q", d, got, want)
			}
		}
		declare(t, r, cache("user"), complete)
		at(999*time.Millisecond, "")
		at(time.Second, "shop v1×1")
		// Renewed at 1 s, 31 s, 61 s and so on, for as long as it lives.
		at(3*time.Hour, "shop v1×1")
		at(25*time.Hour, "shop v1×1")
		// Another process that declares the same joins it.
		other, err := strategy.New(c, strategy.Options{Service: "shop", Version: "v1"})
		if err != nil {
			t.Fatal(err)
		}
		declare(t, other, cache("user"), complete)
		publish(t, other)
		at(25*time.Hour, "shop v1×2")
		if since := read(t, c).Services[0].Since; !since.Equal(begin.Add(time.Second).Truncate(time.Millisecond)) {
			t.Errorf("first published at %v, began at %v", since, begin)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		m.dead.Store(true)
		last := 25*time.Hour - 29*time.Second
		at(last+89*time.Second, "shop v1×1")
		at(last+90*time.Second, "shop v1×0")
		last = 25 * time.Hour // of the other
		at(last+24*time.Hour-time.Millisecond, "shop v1×0")
		at(last+24*time.Hour, "")
		if v, err := c.Do(t.Context(), conn.Cmd("DBSIZE")); v.Int != 0 || err != nil {
			t.Errorf("%d keys are left, %v", v.Int, err)
		}
	})
}

// The service that comes second logs what it claims of another's.
func TestConflictIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		logs := map[string]*lines{}
		for _, service := range []string{"first", "second"} {
			logs[service] = &lines{}
			r, err := strategy.New(engine.Connect(), strategy.Options{Service: service, Logger: logs[service].logger()})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			declare(t, r, cache("user"), complete)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if got := logs["first"].text(); got != "" {
			t.Error(got)
		}
		if got := logs["second"].text(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "warning=conflict") || !strings.Contains(got, "give one of them another name") {
			t.Error(got)
		}
	})
}
