package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBucketsCoverAllDurations(t *testing.T) {
	t.Parallel()
	for i := range Buckets {
		if got := index(lower(i)); got != i {
			t.Errorf("the shortest of bucket %d falls into %d", i, got)
		}
		if i > 0 && index(lower(i)-1) != i-1 {
			t.Errorf("what is shorter than bucket %d falls into %d", i, index(lower(i)-1))
		}
	}
	for _, d := range []time.Duration{-1, math.MinInt64, math.MaxInt64} {
		if i := index(d); i < 0 || i >= Buckets {
			t.Errorf("%d falls into bucket %d", d, i)
		}
	}
}

// The error that the package comment states, against exact quantiles.
func TestQuantileError(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var h Live
		all := make([]time.Duration, 1+r.IntN(2000))
		for i := range all {
			all[i] = time.Duration(math.Exp(math.Log(2e3) + r.Float64()*math.Log(3e7)))
			h.Record(all[i])
		}
		slices.Sort(all)
		c := h.Counts()
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			exact := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
			if got := c.Quantile(q); math.Abs(float64(got-exact)) > float64(exact)/16 {
				t.Fatalf("quantile %g of %d is %v, exactly %v", q, len(all), got, exact)
			}
		}
	}
	if q := (Counts{}).Quantile(0.5); q != 0 {
		t.Errorf("the median of nothing is %v", q)
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	var h Live
	for _, d := range []time.Duration{0, 1023, 1024, 2047, 2048, 1 << 35, 1 << 36, 1 << 40} {
		h.Record(d)
	}
	c := h.Counts()
	for exp, want := range map[int]uint64{10: 2, 11: 4, 12: 5, 35: 5, 36: 6} {
		if got := c.Below(exp); got != want {
			t.Errorf("%d below 2^%d, want %d", got, exp, want)
		}
	}
	if c.Count() != 8 || c.Sum != 1023+1024+2047+2048+1<<35+1<<36+1<<40 {
		t.Errorf("count %d, sum %d", c.Count(), c.Sum)
	}
}

// What readings return adds up to what was recorded, whoever records meanwhile.
func TestReadingsAddUp(t *testing.T) {
	t.Parallel()
	var h Live
	var wg sync.WaitGroup
	const each = 5000
	for w := range 4 {
		wg.Go(func() {
			for i := range each {
				h.Record(time.Duration(w+1) * time.Duration(i) * time.Microsecond)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var last Reading
	var parts []Counts
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		parts = append(parts, h.Since(&last))
	}
	total, want := Sum(parts...), h.Counts()
	if total.Count() != 4*each || total.Sum != want.Sum || !slices.Equal(total.Buckets, want.Buckets) || !total.Valid() {
		t.Errorf("%d durations of %v in all, want %d of %v", total.Count(), total.Sum, 4*each, want.Sum)
	}
}

func TestSumOfNone(t *testing.T) {
	t.Parallel()
	if c := Sum(); c.Count() != 0 || c.Sum != 0 {
		t.Errorf("%+v", c)
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	var h Live
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Millisecond) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	var h Live
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Record(time.Millisecond)
		}
	})
}
