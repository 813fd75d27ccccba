package ratelimit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func TestDynamicLimit(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, c := range map[string]conn.Conn{"redis": c, "local": nil} {
			for i, a := range []Algorithm{FixedWindow(2, time.Minute), SlidingWindow(2, time.Minute), TokenBucket(5, time.Minute, 2)} {
				clock := newClock(vectorTime)
				l := limiter(t, c, Options{Algorithm: a, DynamicLimit: true, Clock: clock.now, Prefix: prefixOf(t) + number(int64(i))})
				take := func(id string) (n int64) {
					for limit(t, l, id).Allowed {
						n++
					}
					return n
				}
				if n, err := l.DynamicLimit(t.Context()); n != 0 || err != nil {
					t.Errorf("%s: at first: %d, %v", name, n, err)
				}
				if n := take("a"); n != 2 {
					t.Errorf("%s, %+v: configured: %d allowed", name, a, n)
				}
				if err := l.SetDynamicLimit(t.Context(), 5); err != nil {
					t.Fatal(err)
				}
				if n, err := l.DynamicLimit(t.Context()); n != 5 || err != nil {
					t.Errorf("%s: set: %d, %v", name, n, err)
				}
				if n := take("b"); n != 5 {
					t.Errorf("%s, %+v: raised: %d allowed", name, a, n)
				}
				if d, err := l.Remaining(t.Context(), "b"); d.Limit != 5 || d.Remaining != 0 || err != nil {
					t.Errorf("%s, %+v: %+v, %v", name, a, d, err)
				}
				// Whoever was refused here is asked about again: the limit is another.
				if d := limit(t, l, "a", Cost(1)); a.kind == slidingWindow && !d.Allowed {
					t.Errorf("%s, %+v: %+v", name, a, d)
				}
				if err := l.SetDynamicLimit(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				if n := take("c"); n != 2 {
					t.Errorf("%s, %+v: taken away: %d allowed", name, a, n)
				}
			}
		}
	})
}

// For GCRA it is the rate, for which the burst has to be waited for.
func TestDynamicLimitOfGCRA(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		clock := newClock(vectorTime)
		l := limiter(t, c, Options{Algorithm: GCRA(60, time.Minute, 2), DynamicLimit: true, Clock: clock.now})
		if err := l.SetDynamicLimit(t.Context(), 6); err != nil {
			t.Fatal(err)
		}
		limit(t, l, "u")
		limit(t, l, "u")
		if d := limit(t, l, "u"); d.Allowed || d.Limit != 2 || d.RetryAfter != 10*time.Second {
			t.Errorf("%+v", d)
		}
	})
}

// The key is shared: others may have written anything.
func TestForeignDynamicLimits(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		l := limiter(t, c, Options{Algorithm: FixedWindow(2, time.Minute), DynamicLimit: true, Clock: newClock(vectorTime).now})
		for i, tt := range []struct {
			stored string
			limit  int64
		}{{"7", 7}, {"7.9", 7}, {"0", 0}, {"-1", 2}, {"", 2}, {"many", 2}, {"1e300", 2}, {"nan", 2}, {"inf", 2}} {
			do(t, c, "SET", l.names.dynamic, tt.stored)
			id := "u" + number(int64(i))
			if d := limit(t, l, id); d.Limit != tt.limit || d.Allowed != (tt.limit > 0) {
				t.Errorf("%q: %+v", tt.stored, d)
			}
			if d, err := l.Remaining(t.Context(), id); d.Limit != tt.limit || err != nil {
				t.Errorf("%q: %+v, %v", tt.stored, d, err)
			}
		}
	})
}

func TestBadDynamicLimits(t *testing.T) {
	l := limiter(t, engine(t), Options{Algorithm: FixedWindow(2, time.Minute), DynamicLimit: true})
	for _, n := range []int64{-1, MaxLimit + 1} {
		if err := l.SetDynamicLimit(t.Context(), n); !errors.Is(err, ErrCost) {
			t.Errorf("%d: %v", n, err)
		}
	}
	off := limiter(t, engine(t), Options{Algorithm: FixedWindow(2, time.Minute)})
	if err := off.SetDynamicLimit(t.Context(), 5); err == nil || !strings.Contains(err.Error(), "Options.DynamicLimit is false") {
		t.Error(err)
	}
	if _, err := off.DynamicLimit(t.Context()); err == nil {
		t.Error("no error")
	}
}
