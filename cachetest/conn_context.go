package cachetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) contexts(t *testing.T) {
	c := s.handle(t)
	k := key("context")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, x := range []struct {
		name string
		ctx  context.Context
		want error
	}{{"cancelled", cancelled, context.Canceled}, {"expired", expired, context.DeadlineExceeded}} {
		check := func(t *testing.T, what string, err error) {
			t.Helper()
			if !errors.Is(err, x.want) || !errors.Is(err, conn.ErrUnavailable) || errors.Is(err, conn.ErrClosed) {
				t.Errorf("%s: got %v, want %v that is ErrUnavailable and not ErrClosed", what, err, x.want)
			}
		}
		t.Run(x.name, func(t *testing.T) {
			for what, err := range attempt(x.ctx, c, k) {
				check(t, what, err)
			}
			if tr, ok := c.Tracker(); ok {
				_, err := tr.Do(x.ctx, conn.Key("GET", k))
				check(t, "Tracker.Do", err)
			}
		})
	}
	if v := must(t, c, conn.Key("GET", k)); !v.IsNil() {
		t.Errorf("a command whose context had ended was executed: %+v", v)
	}
}

// attempt calls everything that takes a context, but Subscribe.
func attempt(ctx context.Context, c conn.Conn, k string) map[string]error {
	script := fresh(`return redis.call('SET', KEYS[1], 'x')`)
	errs := make(map[string]error)
	_, errs["Do"] = c.Do(ctx, conn.Key("SET", k, "x"))
	for _, r := range c.Pipeline(ctx, conn.Key("SET", k, "x"), conn.Key("GET", k)) {
		errs["Pipeline"] = r.Err
	}
	_, errs["Eval"] = c.Eval(ctx, script, []string{k}, nil)
	for _, r := range c.EvalEach(ctx, script, conn.ScriptCall{Keys: []string{k}}) {
		errs["EvalEach"] = r.Err
	}
	errs["Scan"] = c.Scan(ctx, "*", func([]string) error { return nil })
	return errs
}
