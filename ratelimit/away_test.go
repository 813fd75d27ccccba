package ratelimit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// absent fails like a Redis that is away while err is set.
type absent struct {
	conn.Conn
	err  error
	hang bool
}

func (c *absent) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	if c.hang {
		<-ctx.Done()
		return conn.Value{}, &conn.Error{Op: "eval", Err: ctx.Err()}
	}
	if c.err != nil {
		return conn.Value{}, c.err
	}
	return c.Conn.Eval(ctx, s, keys, args)
}

var errGone = &conn.Error{Op: "eval", Err: errors.New("connection refused")}

func TestAway(t *testing.T) {
	for _, err := range []error{errGone, &conn.ServerError{Text: "OOM command not allowed"}, &conn.ServerError{Text: "CLUSTERDOWN"}, &conn.ServerError{Text: "LOADING"}, &conn.ServerError{Text: "READONLY"}} {
		for _, tt := range []struct {
			away    Away
			allowed int
		}{{AwayAllow, 10}, {AwayDeny, 0}, {AwayLocal, 4}} {
			c := &absent{Conn: engine(t)}
			var log bytes.Buffer
			l := limiter(t, c, Options{
				Algorithm: FixedWindow(8, time.Minute), Clock: newClock(vectorTime).now, Away: tt.away, Share: 0.5,
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			limit(t, l, "secret")
			c.err = err
			allowed := 0
			for range 10 {
				d := limit(t, l, "secret")
				if d.Reason != ReasonUnavailable {
					t.Errorf("%v: %+v", tt.away, d)
				}
				if d.Allowed {
					allowed++
				} else if d.RetryAfter <= 0 {
					t.Errorf("%v: refused without a time: %+v", tt.away, d)
				}
			}
			if allowed != tt.allowed {
				t.Errorf("%v, %v: %d of 10 allowed, want %d", tt.away, err, allowed, tt.allowed)
			}
			if _, err := l.Limit(t.Context(), "secret", Cost(-1)); err == nil {
				t.Error("a refund that was not made is not an error")
			}
			c.err = nil
			if d := limit(t, l, "secret"); !d.Allowed || d.Remaining != 6 || d.Reason != "" {
				t.Errorf("%v: back again: %+v", tt.away, d)
			}
			if n := strings.Count(log.String(), "\n"); n != 2 || strings.Contains(log.String(), "secret") {
				t.Errorf("%v: one line for going, one for coming back:\n%s", tt.away, &log)
			}
		}
	}
}

func TestAwayTakesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &absent{Conn: engine(t), hang: true}
		l := limiter(t, c, Options{Algorithm: SlidingWindow(2, time.Minute), Timeout: 200 * time.Millisecond})
		start := time.Now()
		d := limit(t, l, "u")
		if took := time.Since(start); d.Reason != ReasonTimeout || !d.Allowed || took > 200*time.Millisecond || took < 150*time.Millisecond {
			t.Errorf("%+v after %v", d, took)
		}
		// The caller's own end is the caller's error.
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if d, err := l.Limit(ctx, "u"); !errors.Is(err, context.DeadlineExceeded) || d.Allowed {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

// Shares of all algorithms add up to the limit.
func TestShares(t *testing.T) {
	const processes = 4
	for _, tt := range []struct {
		a             Algorithm
		first, minute int64 // allowed at once by each process, and within the next minute
	}{
		{FixedWindow(8, time.Minute), 2, 2},
		{SlidingWindow(8, time.Minute), 2, 0}, // the previous window still weighs
		{TokenBucket(1, 5*time.Second, 8), 2, 3},
		{GCRA(12, time.Minute, 8), 2, 3},
		{FixedWindow(1, time.Minute), 1, 1}, // never less than one
	} {
		clock := newClock(vectorTime + 10_000) // the beginning of a window
		l := limiter(t, &absent{Conn: engine(t), err: errGone}, Options{Algorithm: tt.a, Share: 1.0 / processes, Clock: clock.now, BlockFor: -1})
		take := func() (n int64) {
			for limit(t, l, "u").Allowed {
				n++
			}
			return n
		}
		if n := take(); n != tt.first {
			t.Errorf("%+v: %d at once, want %d", tt.a, n, tt.first)
		}
		n := int64(0)
		for range 60 {
			clock.advance(time.Second)
			n += take()
		}
		if n != tt.minute {
			t.Errorf("%+v: %d within a minute, want %d", tt.a, n, tt.minute)
		}
	}
}

// A lowered dynamic limit holds while Redis is away.
func TestAwayKnowsTheDynamicLimit(t *testing.T) {
	c := &absent{Conn: engine(t)}
	l := limiter(t, c, Options{Algorithm: FixedWindow(100, time.Minute), DynamicLimit: true, Clock: newClock(vectorTime).now})
	do(t, c.Conn, "SET", l.names.dynamic, "3")
	limit(t, l, "u")
	c.err = errGone
	n := 0
	for limit(t, l, "u").Allowed {
		n++
	}
	if n != 3 {
		t.Errorf("%d allowed, want 3", n)
	}
}

// A real Redis stops, freezes and comes back.
func TestRedisGoesAway(t *testing.T) {
	server := redistest.Start(t)
	c := dial(t, server.URL())
	l := limiter(t, c, Options{Algorithm: SlidingWindow(1000, time.Hour), Clock: newClock(vectorTime).now, Timeout: 500 * time.Millisecond, Share: 0.003})
	if d := limit(t, l, "u"); d.Reason != "" || !d.Allowed {
		t.Fatalf("%+v", d)
	}
	for name, away := range map[string]struct{ begin, end func() }{
		"frozen":  {server.Pause, server.Resume},
		"stopped": {server.Stop, server.Restart},
	} {
		away.begin()
		id, allowed := "u"+name, 0
		for range 6 {
			d := limit(t, l, id)
			if d.Reason != ReasonTimeout && d.Reason != ReasonUnavailable {
				t.Errorf("%s: %+v", name, d)
			}
			if d.Allowed {
				allowed++
			}
		}
		if allowed != 3 {
			t.Errorf("%s: %d allowed, want 3", name, allowed)
		}
		away.end()
		// The connection is made again in the background.
		eventually(t, func() bool { return limit(t, l, "back").Reason == "" })
		if d := limit(t, l, id); d.Reason != "" || !d.Allowed {
			t.Errorf("%s: back again: %+v", name, d)
		}
	}
}

func TestCachedWindowsKeepWhatCouldNotBeWritten(t *testing.T) {
	server := redistest.Start(t)
	c := dial(t, server.URL())
	l := limiter(t, c, Options{Algorithm: CachedFixedWindow(10, time.Hour), Clock: newClock(vectorTime).now, Timeout: 100 * time.Millisecond})
	limit(t, l, "u")
	server.Pause()
	for i := range 12 {
		if d := limit(t, l, "u"); d.Allowed != (i < 9) {
			t.Errorf("call %d: %+v", i, d)
		}
	}
	server.Resume()
	eventually(t, func() bool {
		_, err := l.Limit(t.Context(), "another") // until the connection is there again
		d, _ := l.Remaining(t.Context(), "probe")
		return err == nil && d.Limit > 0 && l.cache.flush(t.Context())
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := c.Do(t.Context(), conn.Key("GET", l.names.current("u", vectorTime)))
	if n, bad := v.Int64(); err != nil || bad != nil || n < 10 {
		t.Errorf("Redis has counted %d of 10, %v", n, err)
	}
}

// eventually waits until what is asked of a real server holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("it does not hold after 20 s")
		}
		runtime.Gosched()
	}
}
