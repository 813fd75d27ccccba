package larder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder"
)

// A Get has its value from Redis when the cache is closed, which ends the pushes,
// and would put it into L1 only now.
func TestClosedCacheServesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		other := newCache(t, e.Connect(), larder.Options[string, int64]{Load: always(1)})
		if _, err := other.Get(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		h := newHook(t, e)
		c := newCache(t, h, larder.Options[string, int64]{Load: always(2)})
		for range 2 { // so that it knows the generation of the namespace
			if _, err := c.Get(t.Context(), "another"); err != nil {
				t.Fatal(err)
			}
		}

		read, deliver := h.holdAnswer("GET")
		got := get(t.Context(), c, "k")
		<-read
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		deliver()
		<-got
		if err := other.Invalidate(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		if v, err := c.Get(t.Context(), "k"); !errors.Is(err, larder.ErrClosed) {
			t.Errorf("a closed cache returns %d, %v; want ErrClosed", v, err)
		}
	})
}

func TestCallersThatCloseCutsShortAreTold(t *testing.T) {
	for name, ask := range asks[int64]() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started := make(chan struct{})
				c := newCache(t, nil, larder.Options[string, int64]{
					Load: func(ctx context.Context, _ string) (int64, error) {
						close(started)
						<-ctx.Done()
						return 0, ctx.Err()
					},
				})
				cut := make(chan error, 1)
				go func() {
					_, err := ask(t.Context(), c, "k")
					cut <- err
				}()
				<-started
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				if err := <-cut; !errors.Is(err, larder.ErrClosed) {
					t.Errorf("error %v, want ErrClosed", err)
				}
			})
		})
	}
}
