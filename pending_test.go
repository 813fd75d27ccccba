package larder_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
)

// A Get has read the old entry while its invalidation was pending, and looks at
// the answer when the invalidation has been delivered.
func TestReadFromBeforeTheDeliveryIsNotServed(t *testing.T) {
	for how, ask := range asks[int64]() {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				h := newHook(t, e)
				var version atomic.Int64
				load := func(context.Context, string) (int64, error) { return version.Load(), nil }
				o := larder.Options[string, int64]{L1MaxBytes: -1, CacheTimeout: time.Minute, Load: load}
				c := newCache(t, h, o)
				if v, err := ask(t.Context(), c, "k"); v != 0 || err != nil {
					t.Fatal(v, err)
				}

				var back atomic.Bool
				read, deliver := make(chan struct{}), make(chan struct{})
				var once sync.Once
				h.on(func(_ context.Context, op string, run func()) error {
					if op == "invalidate" && !back.Load() {
						return errors.New("the connection was cut")
					}
					run()
					if op == "GET" {
						once.Do(func() {
							close(read)
							<-deliver
						})
					}
					return nil
				})
				version.Store(1)
				if err := c.Invalidate(t.Context(), "k"); !errors.Is(err, larder.ErrInvalidationPending) {
					t.Fatalf("Invalidate: %v, want ErrInvalidationPending", err)
				}
				late := make(chan answer[int64], 1)
				go func() {
					v, err := ask(t.Context(), c, "k")
					late <- answer[int64]{v, err}
				}()
				<-read
				back.Store(true)
				for c.Stats().Pending > 0 {
					time.Sleep(time.Millisecond)
				}
				close(deliver)
				if a := <-late; a.value != 1 || a.err != nil {
					t.Errorf("a Get after the invalidation returned version %d, %v", a.value, a.err)
				}
			})
		})
	}
}
