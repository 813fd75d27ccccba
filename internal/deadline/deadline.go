// Package deadline bounds many short calls without a timer for each: calls that
// begin within a quarter of the timeout share one. context.WithTimeout costs
// about a sixth of a GET's throughput, this almost nothing.
package deadline

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Source hands out contexts that end after a timeout.
type Source struct {
	timeout time.Duration
	start   time.Time
	current atomic.Pointer[slot]
	mu      sync.Mutex // serialises the making of slots
}

// slot is a context that several calls share.
type slot struct {
	ctx    context.Context
	cancel context.CancelFunc // never called: others share ctx, and it ends by itself
	until  time.Duration      // since Source.start: no longer handed out from then on
}

// New makes a source of contexts that end between three quarters of the timeout
// and the timeout after they were asked for.
func New(timeout time.Duration) *Source { return &Source{timeout: timeout, start: time.Now()} }

// Context returns a context with the values of parent that ends at parent's
// deadline or after the timeout, whichever comes first. A parent that is
// cancelled without a deadline ends it only with the timeout: whoever waits must
// look at parent afterwards.
func (s *Source) Context(parent context.Context) context.Context {
	shared := s.slot()
	if parent == context.Background() {
		return shared
	}
	end, _ := shared.Deadline()
	if own, ok := parent.Deadline(); ok && own.Before(end) {
		return parent
	}
	return &joined{Context: shared, parent: parent}
}

func (s *Source) slot() context.Context {
	now := time.Since(s.start)
	if c := s.current.Load(); c != nil && now < c.until {
		return c.ctx
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.current.Load(); c != nil && now < c.until {
		return c.ctx
	}
	next := &slot{until: now + s.timeout/4}
	next.ctx, next.cancel = context.WithTimeout(context.Background(), s.timeout)
	s.current.Store(next)
	return next.ctx
}

// joined is a shared context with the values, and the error, of a call's own.
type joined struct {
	context.Context
	parent context.Context
}

func (j *joined) Value(key any) any { return j.parent.Value(key) }

func (j *joined) Err() error {
	if err := j.parent.Err(); err != nil {
		return err
	}
	return j.Context.Err()
}
