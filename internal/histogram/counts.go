package histogram

import (
	"math"
	"sort"
	"time"
)

// Counts are recorded durations, without the empty buckets.
type Counts struct {
	// Sum of all durations.
	Sum time.Duration
	// Buckets in ascending order, none of them empty.
	Buckets []Bucket
}

// Bucket is how many durations fell into one bucket.
type Bucket struct {
	Index uint8
	N     uint64
}

// Count is how many durations were recorded.
func (c Counts) Count() (n uint64) {
	for _, b := range c.Buckets {
		n += b.N
	}
	return n
}

// Quantile returns the duration that the share q (0 to 1) of all does not exceed, at
// most 1/16 of itself off; below 1 µs at most 512 ns; at least 68.7 s stands for all
// that is longer. 0 where nothing was recorded.
func (c Counts) Quantile(q float64) time.Duration {
	n := c.Count()
	if n == 0 {
		return 0
	}
	rank := uint64(max(math.Ceil(q*float64(n)), 1))
	for _, b := range c.Buckets {
		if rank <= b.N {
			return middle(int(b.Index))
		}
		rank -= b.N
	}
	return middle(int(c.Buckets[len(c.Buckets)-1].Index))
}

// Below is how many durations are shorter than 2^exp ns, exactly, where exp is one of
// the layout's powers of two (10 to 36).
func (c Counts) Below(exp int) (n uint64) {
	end := 1 + (exp-minExp)*sub
	for _, b := range c.Buckets {
		if int(b.Index) >= end {
			break
		}
		n += b.N
	}
	return n
}

// Sum adds up any number of Counts.
func Sum(all ...Counts) Counts {
	// Most of what is added is one and nothing else.
	some, at := 0, 0
	for i := range all {
		if len(all[i].Buckets) > 0 {
			some, at = some+1, i
		}
	}
	switch some {
	case 0:
		return Counts{}
	case 1:
		return all[at]
	}
	var dense [Buckets]uint64
	var total Counts
	used := 0
	for _, c := range all {
		total.Sum += c.Sum
		for _, b := range c.Buckets {
			if dense[b.Index] == 0 {
				used++
			}
			dense[b.Index] += b.N
		}
	}
	total.Buckets = make([]Bucket, 0, used)
	for i, n := range dense {
		if n > 0 {
			total.Buckets = append(total.Buckets, Bucket{uint8(i), n})
		}
	}
	return total
}

// Valid tells whether Counts that were read from elsewhere are in order.
func (c Counts) Valid() bool {
	return c.Sum >= 0 && sort.SliceIsSorted(c.Buckets, func(i, j int) bool { return c.Buckets[i].Index < c.Buckets[j].Index })
}
