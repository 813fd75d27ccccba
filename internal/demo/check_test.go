package demo

import (
	"sync"
	"testing"
	"time"
)

func TestChecker(t *testing.T) {
	t.Parallel()
	const a, b = 0, 1
	start := time.Now()
	at := func(d time.Duration) time.Time { return start.Add(d) }
	ms := time.Millisecond
	type write struct {
		version  int64
		instance int
		returned time.Duration
	}
	for _, tt := range []struct {
		name string
		// before are the invalidations that had returned when the request
		// began, after those that returned before its answer.
		before, after []write
		began         time.Duration
		instance      int
		version       int64
		want          verdict
		lag           time.Duration
	}{
		{name: "nothing was written", began: 5 * ms, version: 0, want: fine},
		{name: "the written version", before: []write{{2, a, 0}}, began: ms, instance: a, version: 2, want: fine},
		{name: "a later version", before: []write{{2, a, 0}}, began: ms, instance: a, version: 3, want: fine},
		{name: "the same instance serves the old one", before: []write{{2, a, 0}}, began: ms, instance: a, version: 1, want: stale},
		{name: "at the moment of the return", before: []write{{2, a, 0}}, began: 0, instance: a, version: 1, want: stale},
		{name: "the request began earlier", after: []write{{2, a, 2 * ms}}, began: ms, instance: a, version: 1, want: fine},
		{name: "only the later one had not returned", before: []write{{2, a, 0}}, after: []write{{3, a, 2 * ms}}, began: ms, instance: a, version: 2, want: fine},
		{name: "the other instance lags", before: []write{{2, a, 0}}, began: 3 * ms, instance: b, version: 1, want: lagging, lag: 3 * ms},
		{name: "the lag counts from the first it missed", before: []write{{2, a, 0}, {3, a, 4 * ms}, {4, a, 6 * ms}}, began: 9 * ms, instance: b, version: 2, want: lagging, lag: 5 * ms},
		{name: "at the bound", before: []write{{2, a, 0}}, began: StalenessBound, instance: b, version: 1, want: lagging, lag: StalenessBound},
		{name: "beyond the bound", before: []write{{2, a, 0}}, began: StalenessBound + 1, instance: b, version: 1, want: stale},
		{name: "a recent miss does not excuse an old one", before: []write{{2, a, 0}, {3, a, 1999 * ms}}, began: 2000 * ms, instance: b, version: 1, want: stale},
		{name: "lags behind the other, not itself", before: []write{{2, b, 0}, {3, a, ms}}, began: 2 * ms, instance: b, version: 2, want: lagging, lag: ms},
		{name: "behind both", before: []write{{2, a, 0}, {3, b, ms}}, began: 2 * ms, instance: b, version: 1, want: stale},
		{name: "behind the other first, then itself", before: []write{{2, b, 0}, {3, a, ms}}, began: 2 * ms, instance: a, version: 2, want: stale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newChecker()
			for _, w := range tt.before {
				if !c.invalidated("x", w.version, w.instance, at(w.returned)) {
					t.Fatal("the version does not rise")
				}
			}
			c.invalidated("y", 99, a, at(0))
			m := c.begin("x", func() time.Time { return at(tt.began) })
			for _, w := range tt.after {
				c.invalidated("x", w.version, w.instance, at(w.returned))
			}
			if got := c.answered(m, tt.instance, tt.version); got != tt.want {
				t.Errorf("verdict %d, want %d", got, tt.want)
			}
			want := tally{longestLag: tt.lag}
			if len(tt.before) > 0 {
				want.checked = 1
			}
			switch tt.want {
			case stale:
				want.stale = 1
			case lagging:
				want.lagging = 1
			}
			if got := c.result(); got != want {
				t.Errorf("tally %+v, want %+v", got, want)
			}
		})
	}
}

func TestCheckerKeepsFloorsRising(t *testing.T) {
	t.Parallel()
	c := newChecker()
	now := time.Now()
	if !c.invalidated("x", 5, 0, now) || c.invalidated("x", 5, 1, now) || c.invalidated("x", 4, 0, now) || !c.invalidated("x", 6, 1, now) {
		t.Error("want 5 and 6 taken, 5 and 4 refused")
	}
	if n := len(c.floors["x"]); n != 2 {
		t.Errorf("%d floors, want 2", n)
	}
}

// TestCheckerUnderConcurrency has a source that is never stale: readers see at
// least what was written before they began.
func TestCheckerUnderConcurrency(t *testing.T) {
	t.Parallel()
	c := newChecker()
	var mu sync.Mutex
	var version int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 500 {
			mu.Lock()
			version++
			v := version
			mu.Unlock()
			c.invalidated("x", v, int(v)%instances, time.Now())
		}
	})
	for i := range 4 {
		wg.Go(func() {
			for range 500 {
				m := c.begin("x", time.Now)
				mu.Lock()
				v := version
				mu.Unlock()
				if got := c.answered(m, i%instances, v); got != fine {
					t.Errorf("verdict %d", got)
				}
			}
		})
	}
	wg.Wait()
}
