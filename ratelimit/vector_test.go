package ratelimit

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// The vectors of the wire format: what @upstash/ratelimit 2.2.0 did at this moment
// of the clock. Where Larder differs on purpose the test says so; docs/ratelimit.md
// lists these.
const (
	vectorBucket = 28333333
	vectorReset  = 1700000040000
)

// holds checks a key's value and that it expires within ttl.
func holds(t *testing.T, c conn.Conn, key, want string, ttl time.Duration) {
	t.Helper()
	if got := do(t, c, "GET", key).Str; got != want {
		t.Errorf("%q holds %q, want %q", key, got, want)
	}
	expires(t, c, key, ttl)
}

func expires(t *testing.T, c conn.Conn, key string, ttl time.Duration) {
	t.Helper()
	left := time.Duration(do(t, c, "PTTL", key).Int) * time.Millisecond
	if left > ttl || left < ttl-15*time.Second || left <= 0 {
		t.Errorf("%q expires in %v, want %v", key, left, ttl)
	}
}

type want struct {
	allowed   bool
	remaining int64
	reset     int64
	reason    Reason
}

func check(t *testing.T, d Decision, w want) {
	t.Helper()
	got := want{d.Allowed, d.Remaining, d.Reset.UnixMilli(), d.Reason}
	if got != w {
		t.Errorf("got %+v, want %+v", got, w)
	}
	if d.Allowed != (d.RetryAfter == 0) {
		t.Errorf("allowed %v, and try again in %v", d.Allowed, d.RetryAfter)
	}
}

func windowKey(t *testing.T, back int64) string {
	return prefixOf(t) + ":u:" + strconv.FormatInt(vectorBucket-back, 10)
}

func TestVectorFixedWindow(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		l := limiter(t, c, Options{Algorithm: FixedWindow(2, time.Minute), Clock: clock.now})
		check(t, limit(t, l, "u"), want{true, 1, vectorReset, ""})
		check(t, limit(t, l, "u"), want{true, 0, vectorReset, ""})
		check(t, limit(t, l, "u"), want{false, 0, vectorReset, ""})
		check(t, limit(t, l, "u"), want{false, 0, vectorReset, ReasonBlocked})
		holds(t, c, windowKey(t, 0), "3", time.Minute)
		// Stored 3 of 2: one given back leaves it full.
		check(t, limit(t, l, "u", Cost(-1)), want{true, 0, vectorReset, ""})
		holds(t, c, windowKey(t, 0), "2", time.Minute)
	})
}

func TestVectorSlidingWindow(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		l := limiter(t, c, Options{Algorithm: SlidingWindow(10, time.Minute), Clock: newClock(vectorTime).now})
		do(t, c, "SET", windowKey(t, 1), "7", "PX", "60000")
		do(t, c, "SET", windowKey(t, 0), "2", "PX", "60000")
		check(t, limit(t, l, "u"), want{true, 6, vectorReset, ""})
		holds(t, c, windowKey(t, 0), "3", time.Minute)
	})
}

// The original counts what it refuses here: 7 would be stored.
func TestOverLargeRequestIsNotCounted(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, a := range map[string]Algorithm{
			"sliding": SlidingWindow(3, time.Minute), "fixed": FixedWindow(3, time.Minute), "cached": CachedFixedWindow(3, time.Minute),
		} {
			t.Run(name, func(t *testing.T) {
				do(t, c, "SET", windowKey(t, 0), "2", "PX", "60000")
				l := limiter(t, c, Options{Algorithm: a, Clock: newClock(vectorTime).now})
				d, err := l.Limit(t.Context(), "u", Cost(5))
				if d.Allowed || d.Remaining != 1 || !errors.Is(err, ErrCost) {
					t.Errorf("%+v, %v", d, err)
				}
				check(t, limit(t, l, "u", Cost(2)), want{false, 1, vectorReset, ""})
				holds(t, c, windowKey(t, 0), "2", time.Minute)
				check(t, limit(t, l, "u"), want{true, 0, vectorReset, ""})
				if err := l.Close(); err != nil { // cached windows are written by then
					t.Fatal(err)
				}
				holds(t, c, windowKey(t, 0), "3", time.Minute)
			})
		}
	})
}

func TestVectorTokenBucket(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		l := limiter(t, c, Options{Algorithm: TokenBucket(5, 10*time.Second, 10), Clock: clock.now})
		key := prefixOf(t) + ":u"
		check(t, limit(t, l, "u"), want{true, 9, vectorReset, ""})
		check(t, limit(t, l, "u", Cost(4)), want{true, 5, vectorReset, ""})
		expires(t, c, key, 10*time.Second)
		do(t, c, "PEXPIRE", key, "60000") // the server's clock goes on, this test's does not

		clock.advance(25 * time.Second)
		limit1, err := l.Remaining(t.Context(), "u")
		if err != nil {
			t.Fatal(err)
		}
		// The original says 5, 1700000040000: it does not look at pending refills.
		check(t, limit1, want{true, 10, 1700000060000, ""})
		check(t, limit(t, l, "u"), want{true, 9, 1700000060000, ""})
		if at := do(t, c, "HGET", key, "refilledAt").Str; at != "1700000050000" {
			t.Errorf("refilled at %s", at)
		}
		d, err := l.Limit(t.Context(), "u", Cost(20))
		if d.Allowed || d.Remaining != 9 || !errors.Is(err, ErrCost) {
			t.Errorf("%+v, %v", d, err)
		}
		if n := do(t, c, "HGET", key, "tokens").Str; n != "9" {
			t.Errorf("%s tokens", n)
		}
	})
}

// The original leaves this key without expiry.
func TestRefundExpires(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		l := limiter(t, c, Options{Algorithm: TokenBucket(5, 10*time.Second, 10), Clock: clock.now})
		check(t, limit(t, l, "u", Cost(-3)), want{true, 13, vectorReset, ""})
		expires(t, c, prefixOf(t)+":u", 10*time.Second)
		check(t, limit(t, l, "zero", Cost(0)), want{true, 10, vectorReset, ""})
		expires(t, c, prefixOf(t)+":zero", 10*time.Second)
		for _, a := range []Algorithm{FixedWindow(5, time.Minute), SlidingWindow(5, time.Minute), CachedFixedWindow(5, time.Minute)} {
			l := limiter(t, c, Options{Algorithm: a, Clock: clock.now, Prefix: prefixOf(t) + strconv.Itoa(int(a.kind))})
			if d := limit(t, l, "u", Cost(-2)); d.Remaining != 7 {
				t.Errorf("%+v", d)
			}
			if ttl := do(t, c, "PTTL", l.names.window("u", vectorBucket)).Int; ttl <= 0 {
				t.Errorf("algorithm %d: a refund left a key with PTTL %d", a.kind, ttl)
			}
		}
	})
}

// In the original the third and fourth call count locally too (remaining -1 and -2),
// so that after the last none would be left while Redis says 1 of 3.
func TestVectorCachedFixedWindow(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		l := limiter(t, c, Options{Algorithm: CachedFixedWindow(3, time.Minute), Clock: newClock(vectorTime).now, BlockFor: -1})
		check(t, limit(t, l, "u"), want{true, 2, vectorReset, ""})
		check(t, limit(t, l, "u", Cost(2)), want{true, 0, vectorReset, ""})
		check(t, limit(t, l, "u"), want{false, 0, vectorReset, ""})
		check(t, limit(t, l, "u"), want{false, 0, vectorReset, ""})
		check(t, limit(t, l, "u", Cost(-2)), want{true, 2, vectorReset, ""})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		holds(t, c, windowKey(t, 0), "1", time.Minute)
	})
}

// The original never lets these keys expire.
func TestCachedWindowExpires(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		do(t, c, "SET", windowKey(t, 0), "1") // left by TypeScript, without expiry
		l := limiter(t, c, Options{Algorithm: CachedFixedWindow(9, time.Minute), Clock: clock.now})
		limit(t, l, "u")
		limit(t, l, "u")
		limit(t, l, "v")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		holds(t, c, windowKey(t, 0), "3", time.Minute)
		expires(t, c, l.names.window("v", vectorBucket), time.Minute)
	})
}
