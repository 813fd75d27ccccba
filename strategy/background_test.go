package strategy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/strategy"
)

// script is a Redis that fails as long as it is told to.
type script struct {
	strategy.Conn
	mu    sync.Mutex // protects the following
	down  bool
	calls []time.Duration // since start
	texts int             // calls that carried the declarations
	start time.Time
}

func (s *script) Eval(ctx context.Context, sc *conn.Script, keys, args []string) (conn.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(keys) == 3 {
		s.calls = append(s.calls, time.Since(s.start))
		if args[2] != "" {
			s.texts++
		}
	}
	if s.down {
		return conn.Value{}, &conn.Error{Op: "eval", Err: errors.New("down")}
	}
	if len(keys) == 2 {
		return conn.Value{Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Bulk, Str: "1"}, {Kind: conn.Array}, {Kind: conn.Array}}}, nil
	}
	return conn.Value{Kind: conn.Int, Int: 1}, nil
}

func (s *script) Do(context.Context, conn.Command) (conn.Value, error) { return conn.Value{}, nil }

func (s *script) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *script) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.calls)
}

// What is declared together is published together, a second after the last; it is
// renewed, and tried again while Redis is away.
func TestBackground(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lines
		c := &script{start: time.Now(), down: true}
		r, err := strategy.New(c, strategy.Options{Service: "shop", Logger: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "c"} {
			declare(t, r, cache(name), complete)
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(6 * time.Second)
		// The last Declare was at 1 s, so the first try is at 2 s.
		if got, want := c.seen(), "[2s 2.5s 3.5s 5.5s]"; got != want {
			t.Errorf("tried at %s, want %s", got, want)
		}
		if err := r.Publish(t.Context()); err == nil {
			t.Error("published to a Redis that is away")
		}
		c.set(false)
		time.Sleep(64 * time.Second)
		if got, want := c.seen(), "[2s 2.5s 3.5s 5.5s 7.5s 9.5s 39.5s 1m9.5s]"; got != want {
			t.Errorf("tried at %s, want %s", got, want)
		}
		if c.texts != 6 { // five failures and a success; renewals carry nothing
			t.Errorf("the declarations were sent %d times", c.texts)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if text := log.text(); strings.Count(text, "could not be published") != 1 || strings.Count(text, "are published") != 1 {
			t.Error(text)
		}
	})
}
