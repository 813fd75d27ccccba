package ratelimit

import (
	"context"
	"time"
)

// Wait calls Limit until the request is allowed, sleeping for Decision.RetryAfter in
// between. It returns early, with the last decision and an error: when ctx ends, or
// its deadline comes before the request could be allowed (context.DeadlineExceeded);
// where a deny list refuses (ErrDenied); and where Limit returns one. Callers that
// wait are served in no particular order.
func (l *Limiter) Wait(ctx context.Context, id string, opts ...CallOption) (Decision, error) {
	for {
		d, err := l.Limit(ctx, id, opts...)
		if err != nil || d.Allowed {
			return d, err
		}
		if d.Reason == ReasonDenied {
			return d, failed("wait", ErrDenied)
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < d.RetryAfter {
			return d, failed("wait", context.DeadlineExceeded)
		}
		timer := time.NewTimer(d.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return d, failed("wait", ctx.Err())
		}
	}
}
