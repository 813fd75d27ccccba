package larder_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
)

// The slot of a key moves from master to master while it is read, loaded and
// invalidated. Redirections are no errors to those who ask.
func TestReshardingUnderTraffic(t *testing.T) {
	t.Parallel()
	const moves, changesAStage = 8, 25
	ctx := within(t, 3*time.Minute)
	s := newSource("k")
	cluster := redistest.Cluster(t, 3)
	a, b := s.invalidator(t, patient(cluster.URL())), s.bystander(t, patient(cluster.URL()))
	stop := s.watch(ctx, t, time.Millisecond, []string{"k"}, a, b)

	var changes, pending atomic.Int64
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for turn := 0; ; turn++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			err := s.oneOf(ctx, a, []string{"k"}, turn)
			switch {
			case errors.Is(err, larder.ErrInvalidationPending):
				pending.Add(1)
			case err != nil:
				t.Error(err)
			}
			changes.Add(1)
		}
	})
	more := func() {
		target := changes.Load() + changesAStage
		eventually(t, "more changes", func() bool { return changes.Load() >= target })
	}
	more()
	for range moves {
		owner, _ := cluster.Owner("judged:k")
		next := (slices.Index(cluster.Masters, owner) + 1) % len(cluster.Masters)
		cluster.MoveSlot("judged:k", cluster.Masters[next], more)
		more()
	}
	close(done)
	writer.Wait()
	eventually(t, "delivery", func() bool { return a.cache.Stats().Pending == 0 })
	s["k"].others.invalidate(s["k"].version.Load())
	for _, p := range []*process{a, b} {
		s.settles(ctx, t, p, "k")
		s.hits(ctx, t, p, "k")
	}
	stop()
	t.Logf("%d changes, of which %d were pending at first", changes.Load(), pending.Load())
	a.expires(ctx, t)
}
