// Package wall is the wall clock of the process as the cache reads it, which tests
// may set wrong: machines' clocks are, and jump when they are put right.
package wall

import (
	"sync/atomic"
	"time"
)

var skew atomic.Int64 // ns

// Skew makes the clock wrong by d from now on. Only tests and `larder torture` do.
func Skew(d time.Duration) { skew.Store(int64(d)) }

// Milli is the time in Unix milliseconds.
func Milli() int64 { return MilliAt(time.Now()) }

// MilliAt is what the clock said at t, in Unix milliseconds.
func MilliAt(t time.Time) int64 { return t.Add(time.Duration(skew.Load())).UnixMilli() }
