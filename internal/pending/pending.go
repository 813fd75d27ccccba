// Package pending keeps invalidations that could not be delivered, and delivers
// them as soon as Redis answers again.
//
// What is pending is not lost with a connection, while the process lives. It is
// bounded: beyond [Max] keys of entries they give way to a new generation of
// their namespace, which drops all its entries.
package pending

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/mutation"
)

// Max is how many keys of entries a Queue keeps.
const Max = 10_000

// The time between two tries grows from firstRetry to lastRetry.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
	tryTimeout = 2 * time.Second
)

// Queue is what is pending for one cache.
type Queue struct {
	c      conn.Conn
	board  *board
	disown func(generations ...string) // may be nil
	once   bool                        // leaves the board when nothing is pending any more
	life   context.Context
	end    context.CancelFunc
	done   sync.WaitGroup // the goroutine that retries
	size   atomic.Int64   // how much is pending, to look without the lock

	mu      sync.Mutex        // protects the following
	seq     uint64            // numbers what is added
	entries map[string]item   // keys of entries to invalidate
	bumps   map[string]uint64 // keys of generations to bump, with their seq
	running bool
}

// item is the invalidation of an entry.
type item struct {
	seq       uint64
	namespace string // the key of the generation that would drop it too
	plain     bool   // whatever its revision
	// Where ttl is positive a tombstone is to be left.
	revision uint64
	ttl      time.Duration
}

// New makes an empty queue over c. It has no goroutine until something is pending.
// What is pending in one queue over a connection blocks what caches with another read:
// shared is that connection, where c is a link over it. disown, which may be nil, hears
// of generations whose end is pending in any of them.
func New(c, shared conn.Conn, disown func(generations ...string)) *Queue {
	q := &Queue{c: c, disown: disown, entries: map[string]item{}, bumps: map[string]uint64{}}
	q.life, q.end = context.WithCancel(context.Background())
	q.board = join(shared, q)
	return q
}

// Deliver takes over keys of generations in a queue that ends when it is delivered, or
// c is closed.
func Deliver(c, shared conn.Conn, generations []string) {
	q := New(c, shared, nil)
	q.once = true
	q.Add("", nil, generations)
}

// Add takes over keys of entries, which belong to the namespace whose generation
// has the given key, and keys of generations.
func (q *Queue) Add(namespace string, entries, generations []string) {
	if mutation.NoRetry {
		return
	}
	q.mu.Lock()
	q.seq++
	for _, key := range generations {
		q.bumps[key] = q.seq
	}
	for _, key := range entries {
		it := q.entries[key]
		it.seq, it.namespace, it.plain = q.seq, namespace, true
		q.entries[key] = it
	}
	q.startLocked()
	q.mu.Unlock()
	if len(generations) > 0 {
		q.board.disown(generations)
	}
}

// Entomb takes over an invalidation that leaves a tombstone.
func (q *Queue) Entomb(namespace, entry string, revision uint64, ttl time.Duration) {
	if mutation.NoRetry {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	it := q.entries[entry]
	it.seq, it.namespace = q.seq, namespace
	it.revision, it.ttl = max(it.revision, revision), max(it.ttl, ttl)
	q.entries[entry] = it
	q.startLocked()
}

func (q *Queue) startLocked() {
	if len(q.entries) > Max {
		for key, it := range q.entries {
			q.bumps[it.namespace] = q.seq
			delete(q.entries, key)
		}
	}
	q.countLocked()
	if !q.running && q.life.Err() == nil {
		q.running = true
		q.done.Go(q.run)
	}
}

// countLocked tells those who look without the lock how much is pending.
func (q *Queue) countLocked() {
	n := int64(len(q.entries) + len(q.bumps))
	q.board.size.Add(n - q.size.Swap(n))
}

// Len is how much is pending in this queue. A nil Queue has nothing.
func (q *Queue) Len() int {
	if q == nil {
		return 0
	}
	return int(q.size.Load())
}

// has tells whether an invalidation of a key is pending in this queue.
func (q *Queue) has(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.entries[key]; ok {
		return true
	}
	_, ok := q.bumps[key]
	return ok
}

// Close tries once more to deliver what is pending, within ctx, and ends the
// queue. It returns an error if something is lost.
func (q *Queue) Close(ctx context.Context) error {
	q.end()
	q.done.Wait()
	defer q.board.leave(q)
	return q.deliver(ctx)
}

// run delivers until nothing is pending.
func (q *Queue) run() {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		ctx, cancel := context.WithTimeout(q.life, tryTimeout)
		err := q.deliver(ctx)
		cancel()
		q.mu.Lock()
		if len(q.entries)+len(q.bumps) == 0 || q.life.Err() != nil || errors.Is(err, conn.ErrClosed) {
			q.running = false
			q.mu.Unlock()
			if q.once {
				q.board.leave(q)
			}
			return
		}
		q.mu.Unlock()
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-timer.C:
		case <-q.life.Done():
			timer.Stop()
		}
	}
}

// deliver sends all that is pending, and forgets what was accepted and has not
// been added again meanwhile.
func (q *Queue) deliver(ctx context.Context) error {
	q.mu.Lock()
	upTo := q.seq
	entries := maps.Clone(q.entries)
	bumps := slices.Collect(maps.Keys(q.bumps))
	q.mu.Unlock()

	var plain, delivered []string
	for key, it := range entries {
		if it.plain {
			plain = append(plain, key)
		}
	}
	var all []error
	if len(plain) > 0 {
		_, errs := lease.Invalidate(ctx, q.c, plain...)
		for i, key := range plain {
			if all = append(all, errs[i]); errs[i] != nil {
				delete(entries, key)
			}
		}
	}
	for key, it := range entries {
		if it.ttl > 0 {
			if err := lease.Entomb(ctx, q.c, key, it.revision, it.ttl); err != nil {
				all = append(all, err)
				if ctx.Err() != nil {
					break
				}
				continue
			}
		}
		delivered = append(delivered, key)
	}
	// Where the server does not push, others hear of it only so.
	if tr, ok := q.c.Tracker(); ok {
		tr.Announce(delivered...)
	}
	bumped := false
	if len(bumps) > 0 {
		err := generation.BumpOnce(ctx, q.c, bumps...)
		bumped = err == nil
		all = append(all, err)
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	for _, key := range delivered {
		if q.entries[key].seq <= upTo {
			delete(q.entries, key)
		}
	}
	for _, key := range bumps {
		if bumped && q.bumps[key] <= upTo {
			delete(q.bumps, key)
		}
	}
	q.countLocked()
	q.board.sent.Add(1)
	return errors.Join(all...)
}
