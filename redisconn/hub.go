package redisconn

import (
	"slices"
	"sync"
	"sync/atomic"
)

// hub passes pushes on to listeners.
type hub struct {
	mu     sync.Mutex // protects changes of list, and the following
	closed bool
	list   atomic.Pointer[[]*listener]
}

// listener is one registered function.
type listener struct {
	// mu is read-locked while fn runs, so that stop can promise that it does not
	// run any more: the one place where a callback runs under a lock.
	mu      sync.RWMutex
	stopped bool
	fn      func(keys []string)
}

func (h *hub) listen(fn func(keys []string)) (stop func()) {
	l := &listener{fn: fn}
	h.change(func(list []*listener) []*listener { return append(slices.Clone(list), l) })
	return func() {
		h.change(func(list []*listener) []*listener {
			return slices.DeleteFunc(slices.Clone(list), func(x *listener) bool { return x == l })
		})
		l.stop()
	}
}

func (h *hub) change(next func([]*listener) []*listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	var list []*listener
	if p := h.list.Load(); p != nil {
		list = *p
	}
	list = next(list)
	h.list.Store(&list)
}

func (l *listener) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
}

// notify calls all listeners; nil keys mean all keys.
func (h *hub) notify(keys []string) {
	p := h.list.Load()
	if p == nil {
		return
	}
	for _, l := range *p {
		l.mu.RLock()
		if !l.stopped {
			l.fn(keys)
		}
		l.mu.RUnlock()
	}
}

// close stops all listeners and those to come.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	p := h.list.Load()
	h.mu.Unlock()
	if p == nil {
		return
	}
	for _, l := range *p {
		l.stop()
	}
}
