package ratelimit

import (
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
)

// Ten requests of which every outcome is known.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	c := &absent{Conn: engine(t)}
	seen := observetest.New(t)
	l, err := New(c, Options{
		Algorithm: FixedWindow(3, time.Hour), Prefix: "watched", DenyList: true, Observer: seen,
		Clock: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := l.Deny(ctx, "bad"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "a", "a", "a", "a", "b", "bad", "bad"} {
		if _, err := l.Limit(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Limit(ctx, ""); !errors.Is(err, ErrIdentifier) {
		t.Fatal(err)
	}
	if n := len(seen.Ended(observe.Limiter, "decide")); n != 6 { // three, one refused, b, one denied
		t.Errorf("Redis was asked %d times, want 6", n)
	}
	// Redis goes away.
	c.err = errGone
	for range 2 {
		if d, err := l.Limit(ctx, "c"); !d.Allowed || err != nil {
			t.Fatal(d, err)
		}
	}
	want := map[string]float64{
		"larder.ratelimit.allowed":            6,
		"larder.ratelimit.away{unavailable}":  2,
		"larder.ratelimit.refused{limit}":     1,
		"larder.ratelimit.refused{memory}":    1,
		"larder.ratelimit.refused{deny_list}": 2,
		"larder.ratelimit.errors":             1,
	}
	seen.Want(observe.Limiter, "watched", want)
	if got := len(seen.Metrics()); got != len(Metrics()) {
		t.Errorf("%d metrics are declared, Metrics lists %d", got, len(Metrics()))
	}
	_ = l.Close()
	if s := seen.Subjects(); len(s) != 0 {
		t.Errorf("after Close: %+v", s)
	}
	seen.Want(observe.Limiter, "watched", want) // what was counted stays
}
