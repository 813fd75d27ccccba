// Package coarse is a monotonic clock that costs a memory read. A goroutine
// advances it every [Resolution] while at least one user has it open.
package coarse

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
)

// Resolution is how far the clock may be behind.
const Resolution = 5 * time.Millisecond

// Clock is a handle on the clock. Make one with Open and end it with Close.
type Clock struct {
	shared *ticker
	once   sync.Once
}

type ticker struct {
	now   atomic.Int64
	stop  chan struct{}
	done  chan struct{}
	users int // protected by mu
}

var (
	mu      sync.Mutex // protects running and the users of every ticker
	running *ticker
)

// Open starts the clock if nobody else has.
func Open() *Clock {
	mu.Lock()
	defer mu.Unlock()
	if running == nil {
		running = &ticker{stop: make(chan struct{}), done: make(chan struct{})}
		running.now.Store(int64(conn.Uptime()))
		go running.run()
	}
	running.users++
	return &Clock{shared: running}
}

// Now returns the clock of conn.Uptime in nanoseconds, a little behind.
func (c *Clock) Now() int64 { return c.shared.now.Load() }

// Sync advances the clock to this very moment and returns it, for deadlines.
func (c *Clock) Sync() int64 { return c.shared.advance() }

// Close gives the clock back, and stops it after its last user.
func (c *Clock) Close() {
	c.once.Do(func() {
		mu.Lock()
		defer mu.Unlock()
		if c.shared.users--; c.shared.users > 0 {
			return
		}
		running = nil
		close(c.shared.stop)
		<-c.shared.done
	})
}

func (t *ticker) run() {
	defer close(t.done)
	tick := time.NewTicker(Resolution)
	defer tick.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-tick.C:
			t.advance()
		}
	}
}

// advance never turns the clock back, however its callers overtake each other.
func (t *ticker) advance() int64 {
	now := int64(conn.Uptime())
	for {
		old := t.now.Load()
		if now <= old {
			return old
		}
		if t.now.CompareAndSwap(old, now) {
			return now
		}
	}
}
