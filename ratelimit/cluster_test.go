package ratelimit

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// late lets something happen between the reads of a decision and the decision.
type late struct {
	conn.Conn
	between func()
}

func (c *late) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	if c.between != nil {
		c.between()
	}
	return c.Conn.Eval(ctx, s, keys, args)
}

// In a cluster the previous window is read before the present one decides. What is
// counted into it in between, by a process whose clock is behind, is not seen: one
// decision slips through for each reading that was overtaken, and no more.
func TestClusterSlipIsWhatCameInBetween(t *testing.T) {
	const most = 10
	const edge = vectorReset
	c := dial(t, redistest.SharedCluster(t).URL())
	o := Options{Algorithm: SlidingWindow(most, time.Minute), BlockFor: -1, Prefix: prefixOf(t)}
	behind, ahead := o, o
	behind.Clock = newClock(edge - 1).now
	ahead.Clock = newClock(edge).now // the previous window weighs all it has
	slow := &late{Conn: c}
	b, a := limiter(t, c, behind), limiter(t, slow, ahead)
	fill := func(id string) {
		for range most {
			if d := limit(t, b, id); !d.Allowed {
				t.Errorf("the previous window: %+v", d)
			}
		}
	}
	ask := func(id string) (allowed int) {
		for range 2 * most {
			if limit(t, a, id).Allowed {
				allowed++
			}
		}
		return allowed
	}

	fill("before")
	if n := ask("before"); n != 0 {
		t.Errorf("%d allowed beside a full window", n)
	}
	// Filled while the first decision is under way, after it has read.
	slow.between = func() {
		slow.between = nil
		fill("between")
	}
	if n := ask("between"); n != 1 {
		t.Errorf("%d allowed, want the one decision that was overtaken", n)
	}
	// Filled after half of the new window was granted: these stay, no more come.
	slow.between = nil
	for range most / 2 {
		limit(t, a, "after")
	}
	fill("after")
	if n := ask("after"); n != 0 {
		t.Errorf("%d allowed beside a full window", n)
	}
}

// Many processes with clocks that differ, hammering across an edge of a window: each
// window by itself keeps the limit, and the sum exceeds it by no more than what was
// counted into the previous window after the edge.
func TestClusterAcrossTheEdge(t *testing.T) {
	const most, processes = 50, 8
	const edge = vectorReset
	c := dial(t, redistest.SharedCluster(t).URL())
	for round := range 5 {
		var mu sync.Mutex
		perWindow := map[int64]int64{}
		lateOnes := int64(0) // granted to the previous window once somebody was beyond the edge
		beyond := false
		var wg sync.WaitGroup
		for p := range processes {
			clock := newClock(edge - 40)
			l := limiter(t, c, Options{
				Algorithm: SlidingWindow(most, time.Minute), BlockFor: -1, Clock: clock.now,
				Prefix: prefixOf(t) + number(int64(round)),
			})
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(p)))
				for range 60 {
					clock.advance(time.Duration(rng.Int64N(3)) * time.Millisecond)
					bucket := clock.ms.Load() / 60_000
					mu.Lock()
					beyond = beyond || bucket > vectorBucket
					mu.Unlock()
					d, err := l.Limit(context.Background(), "u")
					if err != nil {
						t.Error(err)
						return
					}
					if d.Allowed {
						mu.Lock()
						perWindow[bucket]++
						if bucket == vectorBucket && beyond {
							lateOnes++
						}
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		first, second := perWindow[vectorBucket], perWindow[vectorBucket+1]
		// By the latest of the clocks one or two of the previous window have faded.
		faded := first - weighted(first, 60*2, time.Minute.Milliseconds())
		if first > most || second > most || first+second > most+lateOnes+faded {
			t.Errorf("%d and %d allowed of %d, of which %d came in between", first, second, most, lateOnes)
		}
		if first+second < most {
			t.Errorf("only %d and %d allowed of %d", first, second, most)
		}
	}
}

// Deny list and dynamic limit are read beside: what is changed while a decision is
// under way counts from the next one on.
func TestClusterReadsBeside(t *testing.T) {
	c := dial(t, redistest.SharedCluster(t).URL())
	slow := &late{Conn: c}
	l := limiter(t, slow, Options{Algorithm: FixedWindow(10, time.Minute), Clock: newClock(vectorTime).now, DynamicLimit: true, DenyList: true})
	other := limiter(t, c, Options{Algorithm: FixedWindow(10, time.Minute), Clock: newClock(vectorTime).now, DynamicLimit: true, DenyList: true})
	slow.between = func() {
		slow.between = nil
		if err := other.SetDynamicLimit(t.Context(), 1); err != nil {
			t.Error(err)
		}
	}
	if d := limit(t, l, "u"); !d.Allowed || d.Limit != 10 {
		t.Errorf("%+v", d)
	}
	if d := limit(t, l, "u"); d.Allowed || d.Limit != 1 {
		t.Errorf("%+v", d)
	}
	slow.between = func() {
		slow.between = nil
		if err := other.Deny(t.Context(), "v"); err != nil {
			t.Error(err)
		}
	}
	if d := limit(t, l, "v"); !d.Allowed {
		t.Errorf("%+v", d)
	}
	if d := limit(t, l, "v"); d.Reason != ReasonDenied {
		t.Errorf("%+v", d)
	}
}
