package ratelimit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

func TestBlockEndsWhenTheRequestFits(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		l := limiter(t, c, Options{Algorithm: SlidingWindow(10, time.Minute), Clock: clock.now, BlockFor: time.Hour})
		do(t, c, "SET", windowKey(t, 1), "40", "PX", "600000")
		do(t, c, "SET", windowKey(t, 0), "5", "PX", "600000")
		// 40 * 10/60 = 6 of the previous window; 4 fit beside 5 and 1.
		d := limit(t, l, "u")
		if d.Allowed || d.RetryAfter != 2501*time.Millisecond {
			t.Fatalf("%+v", d)
		}
		clock.advance(d.RetryAfter - time.Millisecond)
		if d := limit(t, l, "u"); d.Reason != ReasonBlocked || d.RetryAfter != time.Millisecond || d.Reset.UnixMilli() != vectorReset || d.Limit != 10 {
			t.Errorf("%+v", d)
		}
		clock.advance(time.Millisecond)
		// The original would refuse until the window ends.
		if d := limit(t, l, "u"); !d.Allowed {
			t.Errorf("%+v", d)
		}
	})
}

// In the original a refused request of cost 5 blocks those of cost 1.
func TestBlockLetsSmallerRequestsPass(t *testing.T) {
	c := engine(t)
	l := limiter(t, c, Options{Algorithm: TokenBucket(1, time.Minute, 5), Clock: newClock(vectorTime).now})
	limit(t, l, "u", Cost(3))
	check(t, limit(t, l, "u", Cost(4)), want{false, 2, vectorTime + 60000, ""})
	check(t, limit(t, l, "u", Cost(5)), want{false, 0, vectorTime + 60000, ReasonBlocked})
	check(t, limit(t, l, "u", Cost(3)), want{false, 2, vectorTime + 60000, ""})
	check(t, limit(t, l, "u", Cost(2)), want{true, 0, vectorTime + 60000, ""})
	check(t, limit(t, l, "u", Cost(0)), want{true, 0, vectorTime + 60000, ""})
}

func TestBlockIsBoundedAndCanBeSwitchedOff(t *testing.T) {
	c := engine(t)
	clock := newClock(vectorTime)
	short := limiter(t, c, Options{Algorithm: FixedWindow(1, 24*time.Hour), Clock: clock.now, BlockFor: time.Second})
	off := limiter(t, c, Options{Algorithm: FixedWindow(1, 24*time.Hour), Clock: clock.now, BlockFor: -1})
	limit(t, short, "u")
	for _, l := range []*Limiter{short, off} {
		if d := limit(t, l, "u"); d.Allowed || d.Reason != "" {
			t.Errorf("%+v", d)
		}
	}
	if d := limit(t, off, "u"); d.Reason != "" {
		t.Errorf("switched off: %+v", d)
	}
	// Another process resets it: known here after BlockFor.
	if err := off.Reset(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	// What it says is not when memory ends, but when the request fits.
	if d := limit(t, short, "u"); d.Reason != ReasonBlocked || d.RetryAfter < time.Hour {
		t.Errorf("%+v", d)
	}
	clock.advance(time.Second)
	if d := limit(t, short, "u"); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

// A refund and a reset open the door at once in this process.
func TestRefundAndResetUnblock(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for i, a := range []Algorithm{FixedWindow(2, time.Minute), SlidingWindow(2, time.Minute), TokenBucket(1, time.Minute, 2), GCRA(1, time.Minute, 2), CachedFixedWindow(2, time.Minute)} {
			l := limiter(t, c, Options{Algorithm: a, Clock: newClock(vectorTime).now, Prefix: prefixOf(t) + number(int64(i))})
			blockedNow := func() bool {
				for limit(t, l, "u").Allowed {
				}
				return limit(t, l, "u").Reason == ReasonBlocked
			}
			if !blockedNow() {
				t.Errorf("%+v: not blocked", a)
			}
			limit(t, l, "u", Cost(-2))
			if d := limit(t, l, "u"); !d.Allowed {
				t.Errorf("%+v after a refund: %+v", a, d)
			}
			if !blockedNow() {
				t.Errorf("%+v: not blocked", a)
			}
			if err := l.Reset(t.Context(), "u"); err != nil {
				t.Fatal(err)
			}
			if d := limit(t, l, "u"); !d.Allowed || d.Remaining != 1 {
				t.Errorf("%+v after a reset: %+v", a, d)
			}
		}
	})
}

// The original deletes P:id:*, and with it other identifiers' counters.
func TestResetMatchesNoPattern(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for i, a := range []Algorithm{FixedWindow(1, time.Minute), SlidingWindow(1, time.Minute), TokenBucket(1, time.Minute, 1), GCRA(1, time.Minute, 1)} {
			l := limiter(t, c, Options{Algorithm: a, Clock: newClock(vectorTime).now, Prefix: prefixOf(t) + number(int64(i))})
			others := []string{"user:1", "userx", "u", "user:"}
			for _, id := range others {
				limit(t, l, id)
			}
			for _, id := range []string{"user", "*", "user*", "[u]ser:1", "?"} {
				if err := l.Reset(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			for _, id := range others {
				if d, err := l.Remaining(t.Context(), id); d.Remaining != 0 || err != nil {
					t.Errorf("%+v: %q was reset: %+v, %v", a, id, d, err)
				}
			}
		}
	})
}

func TestRemainingCountsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		stores := map[string]conn.Conn{"redis": c, "local": nil}
		for name, c := range stores {
			for i, a := range []Algorithm{FixedWindow(3, time.Minute), SlidingWindow(3, time.Minute), TokenBucket(1, 10*time.Second, 3), GCRA(6, time.Minute, 3), CachedFixedWindow(3, time.Minute)} {
				clock := newClock(vectorTime)
				l := limiter(t, c, Options{Algorithm: a, Clock: clock.now, Prefix: prefixOf(t) + number(int64(i))})
				for left := int64(3); left >= 0; left-- {
					for range 2 {
						d, err := l.Remaining(t.Context(), "u")
						if err != nil || d.Remaining != left || d.Allowed != (left > 0) || d.Limit != 3 || (d.RetryAfter > 0) == d.Allowed {
							t.Errorf("%s, %+v: %+v, %v, want %d left", name, a, d, err, left)
						}
					}
					if d := limit(t, l, "u"); d.Allowed != (left > 0) {
						t.Errorf("%s, %+v: %+v", name, a, d)
					}
				}
			}
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, nil, Options{Algorithm: TokenBucket(1, time.Second, 2)})
		ctx := context.Background()
		start := time.Now()
		for range 5 {
			if d, err := l.Wait(ctx, "u"); err != nil || !d.Allowed {
				t.Fatalf("%+v, %v", d, err)
			}
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("5 of 2, then 1 a second, took %v", took)
		}
		// Who could not be served in time does not wait.
		short, cancel := context.WithTimeout(ctx, 999*time.Millisecond)
		defer cancel()
		d, err := l.Wait(short, "u")
		if !errors.Is(err, context.DeadlineExceeded) || d.Allowed || time.Since(start) != 3*time.Second {
			t.Errorf("%+v, %v after %v", d, err, time.Since(start))
		}
		cancelled, stop := context.WithCancel(ctx)
		time.AfterFunc(100*time.Millisecond, stop)
		if _, err := l.Wait(cancelled, "u"); !errors.Is(err, context.Canceled) || time.Since(start) != 3100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := l.Wait(ctx, "u", Cost(3)); !errors.Is(err, ErrCost) {
			t.Errorf("a cost that never fits: %v", err)
		}
	})
}

// Local mode in a bubble: time passes as it does for the caller.
func TestLocalModeOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, a := range []Algorithm{FixedWindow(3, time.Minute), SlidingWindow(3, time.Minute), TokenBucket(3, time.Minute, 3), GCRA(3, time.Minute, 3), CachedFixedWindow(3, time.Minute)} {
			l := limiter(t, nil, Options{Algorithm: a})
			for i := range 5 {
				if d := limit(t, l, "u"); d.Allowed != (i < 3) {
					t.Errorf("%+v: call %d: %+v", a, i, d)
				}
			}
			time.Sleep(2 * time.Minute)
			if d := limit(t, l, "u", Cost(3)); !d.Allowed {
				t.Errorf("%+v: after two windows: %+v", a, d)
			}
			if d, err := l.Remaining(t.Context(), "u"); d.Remaining != 0 || err != nil {
				t.Errorf("%+v: %+v, %v", a, d, err)
			}
			if err := l.Reset(t.Context(), "u"); err != nil {
				t.Fatal(err)
			}
			if d := limit(t, l, "u", Cost(3)); !d.Allowed {
				t.Errorf("%+v: after a reset: %+v", a, d)
			}
		}
	})
}
