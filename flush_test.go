package larder_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redistest"
)

// FLUSHALL takes entries, leases and generations while values are read, loaded and
// invalidated.
func TestFlushUnderTraffic(t *testing.T) {
	t.Parallel()
	const flushes, changesEach = 30, 20
	ctx := within(t, 3*time.Minute)
	keys := numbered(4)
	s := newSource(keys...)
	server := redistest.Start(t)
	a, b := s.invalidator(t, patient(server.URL())), s.bystander(t, patient(server.URL()))
	stop := s.watch(ctx, t, time.Millisecond, keys, a, b)
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for range flushes {
		for i := range changesEach {
			if i == changesEach/2 {
				if _, err := server.Do("FLUSHALL"); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.oneOf(ctx, a, keys, i); err != nil {
				t.Error(err)
			}
			<-tick.C
		}
	}
	stop()

	loads := a.cache.Stats().Loads
	if _, err := server.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*process{a, b} {
		for _, key := range keys {
			s.settles(ctx, t, p, key)
			s.hits(ctx, t, p, key)
		}
	}
	eventually(t, "a load after the flush", func() bool {
		s.ask(ctx, t, a, keys[0])
		return a.cache.Stats().Loads+b.cache.Stats().Loads > loads
	})
	a.expires(ctx, t)
}
