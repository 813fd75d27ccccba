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
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
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
	c    conn.Conn
	life context.Context
	end  context.CancelFunc
	done sync.WaitGroup // the goroutine that retries
	size atomic.Int64   // how much is pending, to look without the lock

	mu      sync.Mutex        // protects the following
	seq     uint64            // numbers what is added
	entries map[string]item   // keys to unlink
	bumps   map[string]uint64 // generations to bump, with their seq
	running bool
}

// item is a key of an entry: the generation that would drop it too, and its seq.
type item struct {
	namespace string
	seq       uint64
}

// New makes an empty queue. It has no goroutine until something is pending.
func New(c conn.Conn) *Queue {
	q := &Queue{c: c, entries: map[string]item{}, bumps: map[string]uint64{}}
	q.life, q.end = context.WithCancel(context.Background())
	return q
}

// Add takes over keys of entries, which belong to the namespace whose generation
// has the given key, and keys of generations.
func (q *Queue) Add(namespace string, entries, generations []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	for _, key := range generations {
		q.bumps[key] = q.seq
	}
	for _, key := range entries {
		q.entries[key] = item{namespace, q.seq}
	}
	if len(q.entries) > Max {
		for key, it := range q.entries {
			q.bumps[it.namespace] = q.seq
			delete(q.entries, key)
		}
	}
	q.size.Store(int64(len(q.entries) + len(q.bumps)))
	if !q.running && q.life.Err() == nil {
		q.running = true
		q.done.Go(q.run)
	}
}

// Len is how much is pending.
func (q *Queue) Len() int { return int(q.size.Load()) }

// Blocks tells whether an invalidation of one of the keys, of entries or of
// generations, is pending: what Redis holds under them must not be used.
func (q *Queue) Blocks(keys ...string) bool {
	if q.size.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, key := range keys {
		if _, ok := q.entries[key]; ok {
			return true
		}
		if _, ok := q.bumps[key]; ok {
			return true
		}
	}
	return false
}

// Close tries once more to deliver what is pending, within ctx, and ends the
// queue. It returns an error if something is lost.
func (q *Queue) Close(ctx context.Context) error {
	q.end()
	q.done.Wait()
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
	var (
		cmds        []conn.Command
		keys, bumps []string
	)
	for key := range q.entries {
		keys = append(keys, key)
		cmds = append(cmds, conn.Key("UNLINK", key))
	}
	for key := range q.bumps {
		bumps = append(bumps, key)
	}
	q.mu.Unlock()
	var errs []error
	delivered := make([]bool, len(keys))
	if len(cmds) > 0 {
		for i, r := range q.c.Pipeline(ctx, cmds...) {
			delivered[i] = r.Err == nil
			errs = append(errs, r.Err)
		}
	}
	bumped := false
	if len(bumps) > 0 {
		err := generation.Bump(ctx, q.c, bumps...)
		bumped = err == nil
		errs = append(errs, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, key := range keys {
		if delivered[i] && q.entries[key].seq <= upTo {
			delete(q.entries, key)
		}
	}
	for _, key := range bumps {
		if bumped && q.bumps[key] <= upTo {
			delete(q.bumps, key)
		}
	}
	q.size.Store(int64(len(q.entries) + len(q.bumps)))
	return errors.Join(errs...)
}
