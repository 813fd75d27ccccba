package embedded

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// lock is a mutex whose waiters can give up: a script may hold it for seconds,
// and no call outlives its context.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// acquire fails with ctx's error or, once done is closed, with conn.ErrClosed.
func (l lock) acquire(ctx context.Context, done <-chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l <- struct{}{}:
	default:
		select {
		case l <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
			return conn.ErrClosed
		}
	}
	select {
	case <-done:
		l.release()
		return conn.ErrClosed
	default:
		return nil
	}
}

func (l lock) always()  { l <- struct{}{} }
func (l lock) release() { <-l }
