package cachetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) closing(t *testing.T) {
	t.Run("ends subscriptions", func(t *testing.T) {
		c := s.handle(t)
		sub := subscribe(t, c, conn.Subscription{Channels: []string{key("c")}})
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if err := next(t, sub.done, "Subscribe to return"); !errors.Is(err, conn.ErrClosed) {
			t.Errorf("Subscribe returned %v, want ErrClosed", err)
		}
	})
	t.Run("use afterwards", func(t *testing.T) {
		c := s.handle(t)
		caps := c.Capabilities()
		tr, tracks := c.Tracker()
		for range 2 {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		errs := attempt(t.Context(), c, key("k"))
		errs["Subscribe"] = c.Subscribe(soon(t), conn.Subscription{Channels: []string{"c"}}, func(conn.Message) {})
		if tracks {
			_, errs["Tracker.Do"] = tr.Do(t.Context(), conn.Key("GET", key("k")))
			tr.Announce("k")
			tr.Listen(func([]string) { t.Error("a listener of a closed handle was called") })()
		}
		for what, err := range errs {
			if !errors.Is(err, conn.ErrClosed) || !errors.Is(err, conn.ErrUnavailable) {
				t.Errorf("%s: got %v, want ErrClosed that is ErrUnavailable", what, err)
			}
		}
		if c.Capabilities() != caps {
			t.Error("the capabilities changed")
		}
	})
	t.Run("leaves others alone", func(t *testing.T) {
		c, other := s.handle(t), s.handle(t)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		must(t, other, conn.Cmd("PING"))
	})
}

func (s *connSuite) concurrent(t *testing.T) {
	c := s.handle(t)
	script := fresh(`return redis.call('INCR', KEYS[1])`)
	counter := key("counter")
	const workers, rounds = 16, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				k, v := key("k"), fmt.Sprint(w, i)
				r := c.Pipeline(t.Context(), conn.Key("SET", k, v), conn.Key("GET", k))
				if len(r) != 2 || r[1].Err != nil || r[1].Value.Str != v {
					t.Errorf("Pipeline: %+v", r)
				}
				if got, err := c.Do(t.Context(), conn.Key("GET", k)); err != nil || got.Str != v {
					t.Errorf("Do: %+v, %v", got, err)
				}
				if _, err := c.Eval(t.Context(), script, []string{counter}, nil); err != nil {
					t.Errorf("Eval: %v", err)
				}
				if tr, ok := c.Tracker(); ok {
					stop := tr.Listen(func([]string) {})
					if got, err := tr.Do(t.Context(), conn.Key("GET", k)); err != nil || got.Str != v {
						t.Errorf("Tracker.Do: %+v, %v", got, err)
					}
					stop()
				}
			}
		})
	}
	wg.Wait()
	if v := must(t, c, conn.Key("GET", counter)); v.Str != fmt.Sprint(workers*rounds) {
		t.Errorf("the counter is %s, want %d", v.Str, workers*rounds)
	}
}
