package cachetest

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) blocking(t *testing.T) {
	c, other := s.handle(t), s.handle(t)
	if !c.Capabilities().Blocking {
		t.Skip("the backend has no blocking commands")
	}
	type outcome struct {
		v   conn.Value
		err error
	}
	pop := func(ctx context.Context, c conn.Doer, k string) chan outcome {
		done := make(chan outcome, 1)
		go func() {
			v, err := c.Do(ctx, conn.Key("BLPOP", k, "0"))
			done <- outcome{v, err}
		}()
		return done
	}
	t.Run("does not hold up others", func(t *testing.T) {
		k := key("list")
		done := pop(soon(t), c, k)
		for range 200 {
			if _, err := c.Do(soon(t), conn.Key("GET", key("x"))); err != nil {
				t.Fatal(err)
			}
		}
		must(t, other, conn.Key("RPUSH", k, "v"))
		if got := next(t, done, "BLPOP"); got.err != nil || len(got.v.Elems) != 2 || got.v.Elems[1].Str != "v" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := pop(ctx, c, key("list"))
		cancel()
		if got := next(t, done, "BLPOP to return"); !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("ends with its handle", func(t *testing.T) {
		own, k := s.handle(t), key("list")
		done := pop(t.Context(), own, k)
		must(t, own, conn.Cmd("PING"))
		if err := own.Close(); err != nil {
			t.Fatal(err)
		}
		if got := next(t, done, "BLPOP to return"); !errors.Is(got.err, conn.ErrClosed) {
			t.Errorf("got %+v, want ErrClosed", got)
		}
	})
}
