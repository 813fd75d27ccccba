package larder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// Redis stops to answer while a batch holds its leases. However many there are,
// they are renewed and given back together, within one CacheTimeout.
func TestHangingRedisCostsABatchOneCacheTimeout(t *testing.T) {
	const timeout = 100 * time.Millisecond
	for op, tt := range map[string]struct {
		loadTime time.Duration
		loadErr  error
		wait     time.Duration // on top of the load
	}{
		"renew":   {loadTime: 250 * time.Millisecond},
		"fill":    {wait: timeout},
		"release": {loadErr: errDown, wait: timeout},
	} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t, newEngine(t))
				h.silence(op)
				c := newCache(t, h, larder.Options[string, int64]{
					Lease: 300 * time.Millisecond, CacheTimeout: timeout,
					LoadMany: func(ctx context.Context, keys []string) (map[string]int64, error) {
						time.Sleep(tt.loadTime)
						m, _ := alwaysMany(1)(ctx, keys)
						return m, tt.loadErr
					},
				})
				start := time.Now()
				if _, err := c.GetMany(t.Context(), numbered(50)); !errors.Is(err, tt.loadErr) {
					t.Errorf("error %v, want %v", err, tt.loadErr)
				}
				if d := time.Since(start) - tt.loadTime; d > tt.wait {
					t.Errorf("GetMany took %v on top of the load, want %v at most", d, tt.wait)
				}
				time.Sleep(timeout) // what is still under way ends
				if n := h.count(op); n == 0 || n > 2 {
					t.Errorf("%d exchanges for 50 leases", n)
				}
			})
		})
	}
}
