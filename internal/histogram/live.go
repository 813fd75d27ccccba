package histogram

import (
	"sync/atomic"
	"time"
)

// Live is a histogram that is counted into. The zero value is empty.
type Live struct {
	sum     atomic.Int64
	buckets [Buckets]atomic.Uint64
}

// Record counts one duration; negative ones count as 0.
func (l *Live) Record(d time.Duration) {
	d = max(d, 0)
	l.buckets[index(d)].Add(1)
	l.sum.Add(int64(d))
}

// Reading is what a Live held at a moment, for Since. The zero value is that of an
// empty one.
type Reading struct {
	sum     time.Duration
	buckets [Buckets]uint64
}

// Since returns what was recorded since the last reading, and makes last the present
// one. Durations that are recorded meanwhile are in this result or in the next, never
// in both.
func (l *Live) Since(last *Reading) Counts {
	sum := time.Duration(l.sum.Load())
	c := Counts{Sum: sum - last.sum}
	last.sum = sum
	for i := range l.buckets {
		if n := l.buckets[i].Load(); n != last.buckets[i] {
			c.Buckets = append(c.Buckets, Bucket{uint8(i), n - last.buckets[i]})
			last.buckets[i] = n
		}
	}
	return c
}

// Counts returns all that was recorded.
func (l *Live) Counts() Counts { return l.Since(new(Reading)) }
