package histogram

import (
	"math/bits"
	"time"
)

// The layout. It is part of the wire format: a change needs a new version there.
const (
	subBits = 3 // 8 buckets for each power of two
	sub     = 1 << subBits
	minExp  = 10 // 1.024 µs
	maxExp  = 36 // 68.7 s

	// Buckets is how many there are.
	Buckets = 1 + (maxExp-minExp)*sub + 1
)

// index is the bucket of a duration.
func index(d time.Duration) int {
	if d < 1<<minExp {
		return 0
	}
	if d >= 1<<maxExp {
		return Buckets - 1
	}
	exp := bits.Len64(uint64(d)) - 1
	return 1 + (exp-minExp)*sub + int(d>>(exp-subBits))&(sub-1)
}

// lower is the shortest duration of a bucket, and the end of the one before.
func lower(i int) time.Duration {
	if i <= 0 {
		return 0
	}
	exp, s := minExp+(i-1)/sub, (i-1)%sub
	return 1<<exp + time.Duration(s)<<(exp-subBits)
}

// middle is what a bucket's durations are taken for: at most 1/16 off. What is too
// long for the layout is taken for the shortest of its kind.
func middle(i int) time.Duration {
	if i >= Buckets-1 {
		return lower(i)
	}
	return (lower(i) + lower(i+1)) / 2
}
