package larder_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P6: everything is bounded.

// A value that is too large is an answer, and is not stored anywhere.
func TestOversizeValueIsAnAnswer(t *testing.T) {
	const most = 1000
	for name, size := range map[string]int{"as large as allowed": most - len(`""`), "one byte more": most - len(`""`) + 1} {
		for how, ask := range asks[string]() {
			t.Run(name+", "+how, func(t *testing.T) {
				onScript(t, func(t *testing.T, s *scripted.Server) {
					value, loads := strings.Repeat("x", size), 0
					c := newCache(t, connect(t, s, redisconn.Options{}), larder.Options[string, string]{
						MaxValueBytes: most,
						Load: func(context.Context, string) (string, error) {
							loads++
							return value, nil
						},
					})
					for range 3 {
						if v, err := ask(t.Context(), c, "k"); v != value || err != nil {
							t.Errorf("got %d bytes, %v", len(v), err)
						}
						synctest.Wait()
					}
					want := larder.Stats{Fills: 1}
					if size+len(`""`) > most {
						want = larder.Stats{Oversize: 3}
					}
					if got := c.Stats(); got.Fills != want.Fills || got.Oversize != want.Oversize || uint64(loads) != max(1, want.Oversize) {
						t.Errorf("%d loads, %d fills, %d too large", loads, got.Fills, got.Oversize)
					}
					if err := c.Set(t.Context(), "k", value); err != nil {
						t.Errorf("Set: %v", err)
					}
				})
			})
		}
	}
}

// Thousands ask a server in trouble, patient ones and impatient ones: each of
// them has its goroutine, the loads have theirs, and the connections a fixed
// number.
func TestTroubleDoesNotPileUpGoroutines(t *testing.T) {
	const keys, library = 10, 1500
	eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
		rounds := []int{200, 200} // the first callers of all, and later ones
		if strings.HasSuffix(t.Name(), "/frozen") {
			rounds[0] = 2400 // patient ones alone are more than a connection takes
		}
		src := &slowSource{takes: time.Second}
		c := newCache(t, connect(t, s, redisconn.Options{}), src.options())
		before := runtime.NumGoroutine()
		more := func() int { // a frozen server has two for each connection that was cut long ago
			return runtime.NumGoroutine() - before - 2*s.Connections()
		}
		strike()
		names := numbered(keys)
		for round, callers := range rounds {
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					ctx := context.Background()
					if i%2 == 0 {
						ctx = within(t, time.Millisecond)
					}
					if _, err := c.Get(ctx, names[i%keys]); err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
				})
			}
			elapse(larder.DefaultCacheTimeout)
			if n := more(); n > callers/2+2*keys+library {
				t.Errorf("round %d: %d goroutines more", round, n)
			}
			wg.Wait()
		}
		// Abandoned ones, over and over.
		for i := range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			_, _ = c.Get(ctx, names[i%keys])
			cancel()
		}
		elapse(15 * time.Second)
		if n := more(); n > 100 {
			t.Errorf("%d goroutines are left", n)
		}
	})
}

// A frozen server is sent no more than what one connection takes at a time.
func TestFrozenServerIsNotFlooded(t *testing.T) {
	onScript(t, func(t *testing.T, s *scripted.Server) {
		c := newCache(t, connect(t, s, redisconn.Options{}), larder.Options[string, int64]{Load: always(1)})
		warm(t, c, "before", 1)
		s.Break(scripted.Fault{Kind: scripted.Freeze})
		var wg sync.WaitGroup
		for _, key := range numbered(5000) {
			wg.Go(func() { wants(t, c, key, 1) })
		}
		start := time.Now()
		wg.Wait()
		if d := time.Since(start); d > larder.DefaultCacheTimeout {
			t.Errorf("the last one took %v", d)
		}
		// One is read and not executed; the others lie before the server.
		if n := s.Unread(); n > 1<<16 {
			t.Errorf("%d bytes are under way to it", n)
		}
	})
}
