package larder_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P4: the cache never takes the service down.

// added is how much a call may take, where the cache knows that Redis is away.
const added = time.Millisecond

// The first call spends the cache timeout, those that start later next to
// nothing, at whatever moment of the library's attempts to connect they come; and
// when the server is back the cache is used again.
func TestTroubleCostsOneCacheTimeout(t *testing.T) {
	const callers = 10
	eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
		calls := 1000
		if strings.HasSuffix(t.Name(), "/frozen") {
			calls = 10_000
		}
		c := newCache(t, connect(t, s, redisconn.Options{}), larder.Options[string, int64]{Load: always(7)})
		keys := numbered(100)
		warm(t, c, "before", 7)
		elapse(100 * time.Millisecond)
		warm(t, c, "just before", 7) // so that others share their deadline with the first call
		elapse(50 * time.Millisecond)
		mend := strike()

		ask := func(key string, atMost time.Duration) {
			start := time.Now()
			wants(t, c, key, 7)
			if d := time.Since(start); d > atMost {
				t.Errorf("a call took %v", d)
			}
		}
		ask("first", larder.DefaultCacheTimeout)
		for i := range calls / 2 {
			ask(keys[i%len(keys)], added)
			<-time.After(5 * time.Second / time.Duration(calls/2))
		}
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				for j := range calls / 2 / callers {
					ask(keys[(i+j)%len(keys)], added)
				}
			})
		}
		wg.Wait()

		mend()
		elapse(10 * time.Second)
		warm(t, c, "after", 7)
	})
}

// The phase of heartbeats, and of the deadline that calls share, makes no
// difference.
func TestFirstCallOfTroubleAtAnyMoment(t *testing.T) {
	for name, strike := range troubles {
		t.Run(name, func(t *testing.T) {
			for offset := time.Duration(0); offset < redisconn.DefaultHeartbeat; offset += redisconn.DefaultHeartbeat / 5 {
				onScript(t, func(t *testing.T, s *scripted.Server) {
					c := newCache(t, connect(t, s, redisconn.Options{}), larder.Options[string, int64]{Load: always(7)})
					elapse(offset)
					warm(t, c, "before", 7)
					elapse(offset % 70)
					strike(s)
					for i, key := range numbered(20) {
						start := time.Now()
						wants(t, c, key, 7)
						d := time.Since(start)
						if i == 0 && d > larder.DefaultCacheTimeout || i > 0 && d > added {
							t.Errorf("%v after a heartbeat: call %d took %v", offset, i+1, d)
						}
					}
				})
			}
		})
	}
}

// Whatever is called first is back within the cache timeout, though its caller
// has set no deadline, and says so where it could not invalidate.
func TestTroubleBoundsEveryOperation(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
				c := newCache(t, connect(t, s, redisconn.Options{}), newOriginal(1).options())
				warm(t, c, "k", 1)
				strike()
				start := time.Now()
				err := op.call(context.Background(), c)
				if d := time.Since(start); d > larder.DefaultCacheTimeout {
					t.Errorf("it took %v", d)
				}
				if op.invalidates != errors.Is(err, larder.ErrInvalidationPending) || !op.invalidates && err != nil {
					t.Errorf("error %v", err)
				}
				// Another connection of the process may have to learn of it yet.
				elapse(redisconn.DefaultHeartbeat + larder.DefaultCacheTimeout)
				start = time.Now()
				_ = op.call(context.Background(), c)
				if d := time.Since(start); d > added {
					t.Errorf("the second call took %v", d)
				}
			})
		})
	}
}

// A caller's own deadline comes first, to the nanosecond.
func TestTroubleHonoursDeadlines(t *testing.T) {
	const deadline = 10 * time.Millisecond
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
				c := newCache(t, connect(t, s, redisconn.Options{}), newOriginal(1).options())
				warm(t, c, "k", 1)
				strike()
				start := time.Now()
				err := op.call(within(t, deadline), c)
				d := time.Since(start)
				if d > deadline {
					t.Errorf("it took %v", d)
				}
				if err == nil && op.invalidates {
					t.Errorf("no error after %v", d)
				}
			})
		})
	}
}

// Dialling takes for ever: nobody who calls notices.
func TestCallersDoNotDial(t *testing.T) {
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			onScript(t, func(t *testing.T, s *scripted.Server) {
				c := newCache(t, connect(t, s, redisconn.Options{DialTimeout: time.Hour}), newOriginal(1).options())
				warm(t, c, "k", 1)
				s.Break(scripted.Fault{Kind: scripted.Hang})
				s.Cut()
				elapse(time.Minute)
				dials, start := s.Dials(), time.Now()
				for range 100 {
					_ = op.call(t.Context(), c)
				}
				if d := time.Since(start); d > 0 {
					t.Errorf("100 calls took %v", d)
				}
				if n := s.Dials() - dials; n > 0 {
					t.Errorf("%d dials", n)
				}
			})
		})
	}
}

// Nothing that is under way keeps Close.
func TestTroubleDoesNotKeepClose(t *testing.T) {
	eachTrouble(t, func(t *testing.T, s *scripted.Server, strike func() func()) {
		conn := connect(t, s, redisconn.Options{})
		c := newCache(t, conn, newOriginal(1).options())
		warm(t, c, "k", 1)
		strike()
		asked := get(t.Context(), c, "new")
		go func() { _ = c.Invalidate(context.Background(), "k") }()
		elapse(20 * time.Millisecond)
		start := time.Now()
		_ = c.Close()
		if d := time.Since(start); d > 2*larder.DefaultCacheTimeout {
			t.Errorf("the cache took %v to close", d)
		}
		<-asked
		start = time.Now()
		_ = conn.Close()
		if d := time.Since(start); d > 1500*time.Millisecond {
			t.Errorf("the connection took %v to close", d)
		}
	})
}
