package backplane

import (
	"slices"
	"sync"
)

// listeners are the functions that hear of changes.
type listeners struct {
	// mu protects list. It is read-locked while they are called, so that stop can
	// promise that its function does not run any more.
	mu   sync.RWMutex
	list []*listener
}

type listener struct{ fn func(keys []string) }

func (ls *listeners) add(fn func(keys []string)) (stop func()) {
	l := &listener{fn}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.list = append(ls.list, l)
	return func() {
		ls.mu.Lock()
		defer ls.mu.Unlock()
		ls.list = slices.DeleteFunc(ls.list, func(x *listener) bool { return x == l })
	}
}

// notify calls all of them; nil keys mean all keys.
func (ls *listeners) notify(keys []string) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	for _, l := range ls.list {
		l.fn(keys)
	}
}
