package embedded

import (
	"sync"
	"sync/atomic"
)

// pushes carries one connection's invalidations from the engine, which is
// locked when they arise, to the listeners, which are called when it is not.
//
// A push is queued in the moment of the change, so the queue has the order of
// the changes. Whoever is about to return a reply that may reflect a change
// calls deliver first, and returns only when the push has been delivered, by
// itself or by another goroutine.
type pushes struct {
	pending atomic.Int64 // queued or being delivered

	mu    sync.Mutex // protects queue
	queue [][]string

	// delivery is held while listeners are called, which keeps pushes in order
	// and lets stop wait; it also protects listeners.
	delivery  sync.Mutex
	listeners []*listener
}

type listener struct{ fn func(keys []string) }

// enqueue adds a push. It is called with the engine locked.
func (p *pushes) enqueue(keys []string) {
	p.pending.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, keys)
}

// deliver returns when all pushes queued before the call have been delivered.
func (p *pushes) deliver() {
	if p.pending.Load() == 0 {
		return
	}
	p.delivery.Lock()
	defer p.delivery.Unlock()
	p.mu.Lock()
	queue := p.queue
	p.queue = nil
	p.mu.Unlock()
	for _, keys := range queue {
		p.callLocked(keys)
	}
	p.pending.Add(-int64(len(queue)))
}

func (p *pushes) announce(keys []string) {
	if len(keys) == 0 {
		return
	}
	p.delivery.Lock()
	defer p.delivery.Unlock()
	p.callLocked(keys)
}

func (p *pushes) callLocked(keys []string) {
	for _, l := range p.listeners {
		l.fn(keys)
	}
}

func (p *pushes) listen(fn func(keys []string)) (stop func()) {
	l := &listener{fn: fn}
	p.delivery.Lock()
	defer p.delivery.Unlock()
	p.listeners = append(p.listeners, l)
	return func() {
		p.delivery.Lock()
		defer p.delivery.Unlock()
		for i, other := range p.listeners {
			if other == l {
				p.listeners = append(p.listeners[:i:i], p.listeners[i+1:]...)
				return
			}
		}
	}
}
