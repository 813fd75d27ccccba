// Package sidebyside measures our code against the bare library beneath it, in
// alternating slices of one benchmark, so that whatever else the machine does
// hits both. Absolute times drift; ratios hold.
package sidebyside

import (
	"slices"
	"testing"
	"time"
)

// rounds is how many slices of each side there are; the median counts.
const rounds = 21

// Run calls ours b.N times from a number of goroutines, and theirs as often
// outside the benchmark's clock. It reports the median ratio of our time to
// theirs as "x-bare": 1 is as fast, 2 takes twice as long. The functions get a
// running number and return an error to stop the benchmark.
func Run(b *testing.B, goroutines int, theirs, ours func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	n := max(1, b.N/rounds)
	ratios := make([]float64, 0, rounds)
	b.ResetTimer()
	for range rounds {
		b.StopTimer()
		their := slice(b, n, goroutines, theirs)
		b.StartTimer()
		our := slice(b, n, goroutines, ours)
		ratios = append(ratios, our.Seconds()/their.Seconds())
	}
	b.StopTimer()
	slices.Sort(ratios)
	b.ReportMetric(ratios[rounds/2], "x-bare")
}

func slice(b *testing.B, n, goroutines int, call func(i int) error) time.Duration {
	b.Helper()
	done := make(chan error, goroutines)
	start := time.Now()
	for g := range goroutines {
		go func() {
			var err error
			for i := g; i < n && err == nil; i += goroutines {
				err = call(i)
			}
			done <- err
		}()
	}
	for range goroutines {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	return time.Since(start)
}
