package embedded

import "sync"

// users counts goroutines that are inside a call which Close waits for. Unlike
// a WaitGroup it may be entered while somebody waits; such calls end at once.
type users struct {
	mu   sync.Mutex // protects the following
	n    int
	idle chan struct{} // closed when n falls to 0; nil while n is 0
}

func (u *users) enter() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n++; u.n == 1 {
		u.idle = make(chan struct{})
	}
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 {
		close(u.idle)
		u.idle = nil
	}
}

func (u *users) wait() {
	u.mu.Lock()
	idle := u.idle
	u.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
