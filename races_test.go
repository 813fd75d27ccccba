package larder_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redistest"
)

// In each race one of two processes loads a key while the other changes it in the
// source and invalidates it. Whoever asks after that must not get what was there
// before, but from the other process' memory for StalenessBound.
func TestRacesOfTwoProcesses(t *testing.T) {
	t.Parallel()
	const (
		races = 10_000
		lanes = 16 // at the same time
	)
	ctx := within(t, 3*time.Minute)
	server := redistest.Start(t)
	here, err := openRacer(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.close() })
	child := redistest.Spawn(t, racerRole)
	there := newRemote(child.In, child.Out)
	if _, err := there.do(ctx, order{Do: "open", Key: server.URL()}); err != nil {
		t.Fatal(err)
	}

	var mu sync.Mutex // protects the following
	var longest time.Duration
	old, behind := 0, 0
	usual := time.Millisecond // of a load, from the order to its end
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for n := lane; n < races && !t.Failed(); n += lanes {
				mu.Lock()
				race := &race{key: fmt.Sprint(lane, "/", n), byTag: n/lanes%8 > 5, within: 3 * usual / 2, here: here, there: there}
				mu.Unlock()
				run := race.changeHere
				if n/lanes%2 == 1 {
					run = race.changeThere
				}
				if err := run(ctx); err != nil {
					t.Error(err)
				}
				if race.stale > bound {
					t.Errorf("%s: the other process served the old value for %v", race.key, race.stale)
				}
				mu.Lock()
				longest = max(longest, race.stale)
				if race.stale > 0 {
					behind++
				}
				if race.loaded == 0 {
					old++
				}
				usual += (race.took - usual) / 16
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	refused := here.near.Stats().FillsRefused
	t.Logf("%d races; %d loads brought the old version; of those of this process %d came too late; %d times the other process' memory was behind, for at most %v",
		races, old, refused, behind, longest.Round(time.Microsecond))
	if old < races/100 || refused < races/100 {
		t.Error("those are no races")
	}
}

// race is one of them.
type race struct {
	key    string
	byTag  bool
	within time.Duration // of the order to load the change is made
	here   *racer
	there  *remote

	loaded int64         // the version that the load brought
	took   time.Duration // that the load took
	stale  time.Duration // for how long the process that did not invalidate was behind
}

func (r *race) changeHere(ctx context.Context) error {
	start := time.Now()
	loading, err := r.there.start(order{Do: "load", Key: r.key})
	if err != nil {
		return err
	}
	loaded := make(chan error, 1)
	go func() {
		a, err := r.there.await(ctx, loading)
		r.loaded, r.took = a.Version, time.Since(start)
		loaded <- err
	}()
	version, acknowledged, err := r.here.change(ctx, r.key, r.byTag, r.within)
	if err != nil {
		return err
	}
	since := time.Since(acknowledged)
	a, err := r.there.do(ctx, order{Do: "witness", Key: r.key, Version: version, ByTag: r.byTag})
	if err != nil {
		return err
	}
	if a.Stale > 0 {
		r.stale = since + a.Stale
	}
	return <-loaded
}

func (r *race) changeThere(ctx context.Context) error {
	start := time.Now()
	loaded := make(chan error, 1)
	go func() {
		var err error
		r.loaded, err = r.here.near.Get(ctx, r.key)
		r.took = time.Since(start)
		loaded <- err
	}()
	a, err := r.there.do(ctx, order{Do: "change", Key: r.key, ByTag: r.byTag, Within: r.within})
	if err != nil {
		return err
	}
	if r.stale, err = r.here.witness(ctx, r.key, a.Version, r.byTag); err != nil {
		return err
	}
	return <-loaded
}
