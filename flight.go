package larder

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/internal/l1"
)

// A flight is the one attempt of this process to get the value of a key that
// neither tier had. Callers that miss while it is under way join it.
//
// Who may use its outcome? A value may be served to a Get that began before the
// value's load (or the read that found it) was begun: to all that began before the
// flight was made, and to those that joined before its load. For a Get that joined
// later, something may have been invalidated between the load's start and the
// Get's. It may use the value only if Redis accepted the fill, which shows that
// no invalidation came before the fill was executed, if it joined before the fill
// was sent, and if the generations are still the current ones. Otherwise it
// starts over, and the flight that it then starts or joins begins after it.
type flight[K comparable, V any] struct {
	key   K
	no    uint64        // counts the flights of the cache
	after *flight[K, V] // a flight of the same key that was detached; it ends first
	done  chan struct{} // closed when out is set
	wake  chan struct{} // holds a token when the key changed in Redis
	// stage, refresh, detached and cooling are protected by the group's mu.
	stage    int
	sealed   int  // the stage at which the fill was sent, 0 for none yet
	refresh  bool // a stale value is there to be served meanwhile
	detached bool // an invalidation came after its beginning: nobody may join
	cooling  bool // ended with an error; in the group only to hold off refreshes

	// orphan may hold a lease of which Redis' answer got lost. Only the goroutine
	// that flies uses it.
	orphan *ticket[K]
	out    outcome[V]
}

// outcome is what a flight brought.
type outcome[V any] struct {
	value V
	err   error // ErrNotFound, the loader's error, or why there is nothing
	// stage: callers that joined before it may use the value.
	stage int
	// accepted: the value is stored, or the lease stood until the end.
	accepted bool
	// namespace and tags are the generations that the load began under.
	namespace l1.Stamp
	tags      []l1.Stamp
}

// group holds the flights of a cache.
type group[K comparable, V any] struct {
	active atomic.Int64  // number of flights, to look without the lock
	made   atomic.Uint64 // number of flights ever made

	mu sync.Mutex // protects m, and the state of its flights
	m  map[K]*flight[K, V]
}

// running returns the flight of a key and the caller's place in it, if there is
// one that the caller has to wait for.
func (g *group[K, V]) running(key K) (f *flight[K, V], stage int) {
	if g.active.Load() == 0 {
		return nil, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if f = g.m[key]; f == nil || f.cooling || f.detached || f.refresh {
		return nil, 0
	}
	return f, f.stage
}

// join returns the flight of a key, making one if there is none: the caller that
// made it must see that it flies.
func (g *group[K, V]) join(key K) (f *flight[K, V], stage int, made bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch f = g.m[key]; {
	case f == nil || f.cooling:
		return g.addLocked(key, nil), 0, true
	case f.detached:
		return g.addLocked(key, f), 0, true
	}
	return f, f.stage, false
}

// refresh makes a flight behind a stale value, if there is none, not even a
// cooling one.
func (g *group[K, V]) refresh(key K) (f *flight[K, V], made bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.m[key] != nil {
		return nil, false
	}
	f = g.addLocked(key, nil)
	f.refresh = true
	return f, true
}

func (g *group[K, V]) addLocked(key K, after *flight[K, V]) *flight[K, V] {
	if g.m == nil {
		g.m = map[K]*flight[K, V]{}
	}
	f := &flight[K, V]{no: g.made.Add(1), key: key, after: after, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	if g.m[key] == nil {
		g.active.Add(1)
	}
	g.m[key] = f
	return f
}

// advance begins the next stage of f: who joins from now on has joined late.
func (g *group[K, V]) advance(f *flight[K, V]) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.stage++
	return f.stage
}

// seal is advance before a fill or release is sent: its acceptance proves nothing
// to those who join from now on.
func (g *group[K, V]) seal(f *flight[K, V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.stage++
	f.sealed = f.stage
}

// end publishes the outcome. Where cool is positive the flight stays for so long,
// to keep further refreshes away.
func (g *group[K, V]) end(f *flight[K, V], out outcome[V], cool time.Duration) {
	f.out = out
	g.mu.Lock()
	defer g.mu.Unlock()
	close(f.done)
	if g.m[f.key] != f {
		return
	}
	if cool <= 0 {
		g.removeLocked(f.key)
		return
	}
	f.cooling = true
	time.AfterFunc(cool, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.m[f.key] == f {
			g.removeLocked(f.key)
		}
	})
}

func (g *group[K, V]) removeLocked(key K) {
	delete(g.m, key)
	g.active.Add(-1)
}

// detach takes the flights that match out of reach: a Get that starts from now on
// finds a new one, which waits for the old one to end, so that one is under way
// and one is waiting at most.
func (g *group[K, V]) detach(key K) {
	if g.active.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.m[key]; f != nil {
		g.detachLocked(f)
	}
}

// detachIf is detach for every key that matches.
func (g *group[K, V]) detachIf(match func(K) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, f := range g.m {
		if match(key) {
			g.detachLocked(f)
		}
	}
}

func (g *group[K, V]) detachLocked(f *flight[K, V]) {
	if f.cooling {
		g.removeLocked(f.key)
		return
	}
	// A flight that has not begun anything yet may still be joined.
	f.detached = f.stage > 0
}

// ifAttached runs fn unless f was detached, and tells whether it did. An
// invalidation that detaches f comes wholly before or wholly after fn.
func (g *group[K, V]) ifAttached(f *flight[K, V], fn func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.detached {
		return false
	}
	fn()
	return true
}

// rouse wakes the flight of a key that waits for another process.
func (g *group[K, V]) rouse(key K) {
	if g.active.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.m[key]; f != nil {
		f.rouse()
	}
}

// rouseAll wakes every flight.
func (g *group[K, V]) rouseAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.m {
		f.rouse()
	}
}

func (f *flight[K, V]) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// waitUntil is wait that ends with ErrLoadTimeout at a time; zero is never.
func (f *flight[K, V]) waitUntil(ctx context.Context, until time.Time) error {
	if until.IsZero() {
		return f.wait(ctx)
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return ErrLoadTimeout
	}
}

// wait blocks until the flight has ended or ctx has.
func (f *flight[K, V]) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
