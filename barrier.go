package larder

import (
	"context"
	"errors"
	"time"
)

var errBarrierLost = errors.New("larder: the barrier could not be extended while the source was written")

// behind calls fn behind a barrier that was put up at a time, and keeps the barrier
// up meanwhile by calling again, nil where there is none. The context of fn ends
// shortly before the barrier does, after LoadTimeout, and with the cache.
func (c *Cache[K, V]) behind(
	ctx context.Context, barred time.Time, again func(context.Context) (stood bool, err error), fn func(context.Context) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	if again == nil {
		return fn(ctx)
	}
	ctx, lose := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.keepUp(ctx, barred, again, lose, stop)
	}()
	defer func() { close(stop); <-done }()
	return fn(ctx)
}

// keepUp extends a barrier until stop, and calls lose shortly before the barrier
// runs out.
func (c *Cache[K, V]) keepUp(
	ctx context.Context, barred time.Time, again func(context.Context) (bool, error), lose context.CancelCauseFunc, stop <-chan struct{},
) {
	defer lose(nil)
	every := time.NewTicker(c.opts.Lease / 3)
	defer every.Stop()
	left := func(since time.Time) time.Duration { return time.Until(since.Add(c.opts.Lease - c.opts.Lease/10)) }
	until := time.NewTimer(left(barred))
	defer until.Stop()
	for {
		select {
		case <-stop:
			return
		case <-until.C:
			lose(errBarrierLost)
			return
		case <-every.C:
			sent := time.Now()
			actx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(c.opts.CacheTimeout, c.opts.Lease/10))
			stood, err := again(actx)
			cancel()
			switch {
			case err != nil:
				c.stats.l2Errors.Add(1)
			case !stood: // evicted, flushed, or of a node that is gone
				lose(errBarrierLost)
				return
			default:
				until.Reset(left(sent))
			}
		}
	}
}
