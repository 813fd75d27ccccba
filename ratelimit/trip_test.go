package ratelimit

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// counting counts round trips.
type counting struct {
	conn.Conn
	trips, commands atomic.Int64
}

func (c *counting) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	c.trips.Add(1)
	c.commands.Add(1)
	return c.Conn.Do(ctx, cmd)
}

func (c *counting) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	c.trips.Add(1)
	c.commands.Add(int64(len(cmds)))
	return c.Conn.Pipeline(ctx, cmds...)
}

func (c *counting) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	c.trips.Add(1)
	c.commands.Add(1)
	return c.Conn.Eval(ctx, s, keys, args)
}

func TestRoundTrips(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		cluster := c.Capabilities().Cluster
		for name, tt := range map[string]struct {
			o       Options
			cluster int64
		}{
			"fixed":                {Options{Algorithm: FixedWindow(2, time.Minute)}, 1},
			"sliding":              {Options{Algorithm: SlidingWindow(2, time.Minute)}, 2},
			"bucket":               {Options{Algorithm: TokenBucket(1, time.Minute, 2)}, 1},
			"gcra":                 {Options{Algorithm: GCRA(1, time.Minute, 2)}, 1},
			"fixed, all options":   {Options{Algorithm: FixedWindow(2, time.Minute), DynamicLimit: true, DenyList: true}, 2},
			"sliding, all options": {Options{Algorithm: SlidingWindow(2, time.Minute), DynamicLimit: true, DenyList: true}, 2},
			"bucket, deny list":    {Options{Algorithm: TokenBucket(1, time.Minute, 2), DenyList: true}, 2},
			"gcra, dynamic limit":  {Options{Algorithm: GCRA(1, time.Minute, 2), DynamicLimit: true}, 2},
		} {
			counter := &counting{Conn: c}
			tt.o.Prefix, tt.o.Clock = prefixOf(t)+number(int64(len(name))), newClock(vectorTime).now
			l := limiter(t, counter, tt.o)
			each := int64(1)
			if cluster {
				each = tt.cluster
			}
			client := From(Client{IP: "192.0.2.1", UserAgent: "curl", Country: "TR"})
			for i, want := range []int64{each, 2 * each, 3 * each, 3 * each, 3 * each} {
				if d := limit(t, l, "u", client); d.Allowed != (i < 2) {
					t.Errorf("%s: call %d: %+v", name, i, d)
				}
				if n := counter.trips.Load(); n != want {
					t.Errorf("%s: %d round trips after call %d, want %d", name, n, i, want)
				}
			}
			before := counter.trips.Load()
			if _, err := l.Remaining(t.Context(), "u"); err != nil {
				t.Fatal(err)
			}
			if n := counter.trips.Load() - before; n != 1 {
				t.Errorf("%s: Remaining took %d round trips", name, n)
			}
		}
	})
}

func TestCachedWindowAsksOnce(t *testing.T) {
	counter := &counting{Conn: engine(t)}
	l := limiter(t, counter, Options{Algorithm: CachedFixedWindow(100, time.Minute), Clock: newClock(vectorTime).now})
	for range 150 {
		limit(t, l, "u")
	}
	if n := counter.trips.Load(); n != 1 {
		t.Errorf("%d round trips that somebody waited for", n)
	}
}

func TestBlockedCostsNothing(t *testing.T) {
	counter := &counting{Conn: engine(t)}
	l := limiter(t, counter, Options{Algorithm: SlidingWindow(1, time.Hour)})
	ctx := context.Background()
	limit(t, l, "u")
	limit(t, l, "u")
	before := counter.trips.Load()
	allocs := testing.AllocsPerRun(100, func() {
		if d, err := l.Limit(ctx, "u"); d.Reason != ReasonBlocked || err != nil {
			t.Errorf("%+v, %v", d, err)
		}
		if d, err := l.Limit(ctx, "u", Cost(3), From(Client{IP: "192.0.2.1"})); d.Reason != ReasonBlocked || err != nil {
			t.Errorf("%+v, %v", d, err)
		}
	})
	if n := counter.trips.Load() - before; allocs != 0 || n != 0 {
		t.Errorf("%v allocations, %d round trips", allocs, n)
	}
}

// answering allows without a server.
type answering struct{ conn.Conn }

func (answering) Eval(context.Context, *conn.Script, []string, []string) (conn.Value, error) {
	return conn.Value{Kind: conn.Int, Int: 1}, nil
}

// A decision that allows costs one allocation beside the Conn's: the texts that are
// new in its keys and arguments.
func TestDecisionAllocatesOnce(t *testing.T) {
	c := answering{engine(t)}
	for name, a := range map[string]Algorithm{
		"fixed":   FixedWindow(10, time.Hour),
		"sliding": SlidingWindow(10, time.Hour),
		"bucket":  TokenBucket(10, time.Hour, 10),
		"gcra":    GCRA(10, time.Hour, 10),
	} {
		l := limiter(t, c, Options{Algorithm: a})
		ctx := context.Background()
		allocs := testing.AllocsPerRun(1000, func() {
			if d, err := l.Limit(ctx, "user:42"); !d.Allowed || err != nil {
				t.Errorf("%s: %+v, %v", name, d, err)
			}
		})
		if allocs > 1 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
