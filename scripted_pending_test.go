package larder_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pending"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P5: invalidations are not lost with the connection.

// recovery is after how long a server that is back is used again: the library
// tries every second and a half at the latest, and so does the queue.
const recovery = 5 * time.Second

// An invalidation that meets a server in trouble says so and never nil. Its own
// process does not use the old value any more, and when the server is back
// nobody does.
func TestTroubleDoesNotLoseInvalidations(t *testing.T) {
	for name, invalidate := range invalidations {
		for state, strike := range troubles {
			for when, wait := range map[string]time.Duration{"at once": 0, "known": 2 * time.Second} {
				t.Run(name+", "+state+", "+when, func(t *testing.T) {
					onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
						src := newOriginal(1)
						writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
						reader := newCache(t, connect(t, b, redisconn.Options{}), src.options())
						warm(t, writer, "k", 1)
						warm(t, reader, "k", 1)
						mend := strike(a)
						elapse(wait)
						src.version.Store(2)
						if err := invalidate(t.Context(), writer); !errors.Is(err, larder.ErrInvalidationPending) {
							t.Errorf("error %v, want ErrInvalidationPending", err)
						}
						if n := writer.Stats().Pending; n == 0 {
							t.Error("nothing is pending")
						}
						wants(t, writer, "k", 2)
						elapse(3 * time.Second)
						wants(t, writer, "k", 2)
						mend()
						elapse(recovery)
						if n := writer.Stats().Pending; n != 0 {
							t.Errorf("%d pending %v after the server came back", n, recovery)
						}
						wants(t, reader, "k", 2)
						wants(t, writer, "k", 2)
						warm(t, newCache(t, connect(t, b, redisconn.Options{}), src.options()), "k", 2)
					})
				})
			}
		}
	}
}

// A caller who gives up before the silence is noticed is told as well.
func TestInvalidationThatIsGivenUpIsPending(t *testing.T) {
	for name, invalidate := range invalidations {
		t.Run(name, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
				src := newOriginal(1)
				writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
				reader := newCache(t, connect(t, b, redisconn.Options{}), src.options())
				warm(t, reader, "k", 1)
				mend := a.Break(scripted.Fault{Kind: scripted.Freeze})
				src.version.Store(2)
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if err := invalidate(ctx, writer); !errors.Is(err, larder.ErrInvalidationPending) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want ErrInvalidationPending for the deadline", err)
				}
				mend()
				elapse(recovery)
				wants(t, reader, "k", 2)
				wants(t, writer, "k", 2)
			})
		})
	}
}

// The package's function for tags has no cache that could remember for it.
func TestTroubleDoesNotLoseInvalidateTags(t *testing.T) {
	eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
		c, src := connect(t, s, redisconn.Options{}), newOriginal(1)
		cache := newCache(t, c, src.options())
		warm(t, cache, "k", 1)
		mend := strike()
		elapse(2 * time.Second)
		src.version.Store(2)
		if err := larder.InvalidateTags(t.Context(), c, "tag"); !errors.Is(err, larder.ErrInvalidationPending) {
			t.Errorf("error %v, want ErrInvalidationPending", err)
		}
		mend()
		elapse(recovery)
		wants(t, cache, "k", 2)
	})
}

// What is pending when the cache is closed is tried once more, and reported where
// it is lost.
func TestCloseTellsOfLostInvalidations(t *testing.T) {
	eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
		c := newCache(t, connect(t, s, redisconn.Options{}), newOriginal(1).options())
		warm(t, c, "k", 1)
		strike()
		elapse(2 * time.Second)
		_ = c.Invalidate(t.Context(), "k")
		start := time.Now()
		if err := c.Close(); !errors.Is(err, larder.ErrInvalidationPending) {
			t.Errorf("error %v, want ErrInvalidationPending", err)
		}
		if d := time.Since(start); d > larder.DefaultCacheTimeout {
			t.Errorf("Close took %v", d)
		}
	})
}

// More keys are pending than the queue keeps: the namespace's generation takes
// their place, so that even what nobody named is a miss.
func TestTooManyPendingKeysClearTheNamespace(t *testing.T) {
	for name, tt := range map[string]struct {
		keys, batch int
		whole       bool
	}{
		"as many as it keeps":  {pending.Max, pending.Max / 10, false},
		"one more":             {pending.Max + 1, pending.Max / 10, true},
		"one more in one call": {pending.Max + 1, pending.Max + 1, true},
		"five times as many":   {5 * pending.Max, pending.Max / 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
				src := newOriginal(1)
				writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
				reader := newCache(t, connect(t, b, redisconn.Options{}), src.options())
				warm(t, reader, "key0", 1)
				warm(t, reader, "untouched", 1)
				mend := a.Break(scripted.Fault{Kind: scripted.Refuse})
				a.Cut()
				src.version.Store(2)
				keys := numbered(tt.keys)
				for at := 0; at < len(keys); at += tt.batch {
					err := writer.Invalidate(t.Context(), keys[at:min(at+tt.batch, len(keys))]...)
					if !errors.Is(err, larder.ErrInvalidationPending) {
						t.Fatalf("error %v, want ErrInvalidationPending", err)
					}
					if n := writer.Stats().Pending; n > pending.Max+1 {
						t.Errorf("%d pending", n)
					}
				}
				wants(t, writer, "key0", 2)
				mend()
				elapse(recovery)
				if n := writer.Stats().Pending; n != 0 {
					t.Errorf("%d pending %v after the server came back", n, recovery)
				}
				wants(t, reader, "key0", 2)
				untouched := int64(1)
				if tt.whole {
					untouched = 2
				}
				wants(t, reader, "untouched", untouched)
			})
		})
	}
}
