package larder

import (
	"math/rand/v2"
	"time"
)

// Refreshing ahead of time is XFetch: each Get refreshes a value, with a
// probability that grows as the end of its TTL comes near, where
//
//	now + cost * beta * Exp(1) >= end of the TTL
//
// See A. Vattani, F. Chierichetti, K. Lowenstein: Optimal Probabilistic Cache
// Stampede Prevention, VLDB 2015.

// aheadWindow is how many times cost * beta before the end a Get begins to draw:
// earlier than that one in three thousand would refresh.
const aheadWindow = 8

// window is how long before the end of its TTL a value may be refreshed that took
// cost to load, 0 for not at all.
func (c *Cache[K, V]) window(cost time.Duration) time.Duration {
	return time.Duration(min(float64(cost)*c.opts.RefreshAhead*aheadWindow, float64(maxTTL)))
}

// drawAhead draws whether a Get refreshes a value that is still fresh for left.
func drawAhead(left, window time.Duration) bool {
	return left > 0 && left <= window && float64(window)/aheadWindow*rand.ExpFloat64() >= float64(left)
}
