package larder

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/wall"
)

// serverClock knows how far the Redis server's clock is ahead of this process'.
// Freshness is a matter of the server's clock, so that all processes agree.
type serverClock struct {
	known  atomic.Bool
	offset atomic.Int64 // ms
}

// now returns the server's clock in Unix milliseconds, asking for it once.
func (s *serverClock) now(ctx context.Context, c conn.Doer) int64 {
	if !s.known.Load() && c != nil {
		sent := time.Now()
		v, err := c.Do(ctx, conn.Cmd("TIME"))
		if parts, _ := v.List(); err == nil && len(parts) == 2 {
			sec, err1 := parts[0].Int64()
			usec, err2 := parts[1].Int64()
			if err1 == nil && err2 == nil {
				middle := sent.Add(time.Since(sent) / 2)
				s.observe(sec*1000+usec/1000, middle)
			}
		}
	}
	return wall.Milli() + s.offset.Load()
}

// observe learns from an answer that carries the server's clock.
func (s *serverClock) observe(server int64, local time.Time) {
	s.offset.Store(server - wall.MilliAt(local))
	s.known.Store(true)
}
