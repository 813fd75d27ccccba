package redisconn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// life is what one Conn owns: contexts, sockets and goroutines. The client
// library neither aborts a dial nor a blocked command when it is closed, and
// may open connections late; all of them pass through here.
type life struct {
	over  atomic.Bool // set before anything is taken down
	ready atomic.Bool // Open has done its part: from now on only keepers dial
	wg    sync.WaitGroup

	mu      sync.Mutex // protects the following
	ended   bool
	cancels map[*context.CancelFunc]struct{}
	sockets map[*socket]struct{}
	drained chan struct{} // closed when ended and no socket is open
	last    []func()      // what shut does at its end
}

// finally has fn run when the Conn is shut, or now where it has been.
func (l *life) finally(fn func()) {
	l.mu.Lock()
	ended := l.ended
	if !ended {
		l.last = append(l.last, fn)
	}
	l.mu.Unlock()
	if ended {
		fn()
	}
}

// finish runs what finally was given.
func (l *life) finish() {
	l.mu.Lock()
	last := l.last
	l.last = nil
	l.mu.Unlock()
	for _, fn := range last {
		fn()
	}
}

func newLife() *life {
	return &life{
		cancels: make(map[*context.CancelFunc]struct{}),
		sockets: make(map[*socket]struct{}),
		drained: make(chan struct{}),
	}
}

// bind returns a context that also ends with the life. release must be called.
func (l *life) bind(ctx context.Context) (bound context.Context, release func()) {
	bound, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		cancel()
		return bound, func() {}
	}
	key := &cancel
	l.cancels[key] = struct{}{}
	return bound, func() {
		cancel()
		l.mu.Lock()
		delete(l.cancels, key)
		l.mu.Unlock()
	}
}

// do runs fn on a goroutine that shut waits for; after the end it runs it here.
func (l *life) do(fn func()) {
	l.mu.Lock()
	ended := l.ended
	if !ended {
		l.wg.Add(1)
	}
	l.mu.Unlock()
	if ended {
		fn()
		return
	}
	go func() {
		defer l.wg.Done()
		fn()
	}()
}

// adopt registers an open socket and tells whether it may be used.
func (l *life) adopt(s *socket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.sockets[s] = struct{}{}
	return true
}

func (l *life) forget(s *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.sockets[s]; !ok {
		return
	}
	delete(l.sockets, s)
	if l.ended && len(l.sockets) == 0 {
		close(l.drained)
	}
}

// end ends all bound contexts and forbids new sockets. It tells whether this is
// the first call.
func (l *life) end() bool {
	l.over.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	l.ended = true
	for cancel := range l.cancels {
		(*cancel)()
	}
	clear(l.cancels)
	if len(l.sockets) == 0 {
		close(l.drained)
	}
	return true
}

// drain waits until all sockets are closed, and closes after grace those that
// are not. end must have been called.
func (l *life) drain(grace time.Duration) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-l.drained:
	case <-timer.C:
		l.cut()
		<-l.drained
	}
	l.wg.Wait()
}

// cut closes all sockets.
func (l *life) cut() {
	l.mu.Lock()
	open := make([]*socket, 0, len(l.sockets))
	for s := range l.sockets {
		open = append(open, s)
	}
	l.mu.Unlock()
	for _, s := range open {
		_ = s.Close()
	}
}
