package redisconn

import (
	"context"
	"slices"
)

// release frees n places.
func (g *gate) release(n int64) {
	g.inFlight.Add(-n)
	if g.waiting.Load() > 0 {
		g.wake(int(n))
	}
}

// wait returns when there may be room or the gate is shut, or when ctx ends.
func (g *gate) wait(ctx context.Context) error {
	ch := make(chan struct{})
	g.mu.Lock()
	g.waiters = append(g.waiters, ch)
	g.waiting.Add(1)
	g.mu.Unlock()
	// release looks at waiting after it has made room: one of the two sees the other.
	if g.inFlight.Load() < maxInFlight || g.state.Load() != gateOpen {
		g.unqueue(ch)
		return nil
	}
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		if !g.unqueue(ch) {
			g.wake(1) // it was our turn: pass it on
		}
		return ctx.Err()
	}
}

// unqueue tells whether ch was still waiting.
func (g *gate) unqueue(ch chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiters, ch)
	if i < 0 {
		return false
	}
	g.waiters = slices.Delete(g.waiters, i, i+1)
	g.waiting.Add(-1)
	return true
}

// wake lets n waiters try again; a negative n means all.
func (g *gate) wake(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeLocked(n)
}

func (g *gate) wakeLocked(n int) {
	if n < 0 || n > len(g.waiters) {
		n = len(g.waiters)
	}
	for _, ch := range g.waiters[:n] {
		close(ch)
	}
	g.waiters = slices.Delete(g.waiters, 0, n)
	g.waiting.Add(-int32(n))
}
