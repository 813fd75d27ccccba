package larder

import "sync"

// writers are the WriteThroughs under way in a cache without Redis, which has no
// barriers.
type writers[K comparable] struct {
	mu sync.Mutex // protects m and the writers in it, and orders what they put into L1
	m  map[K]*writer
}

// writer is what the WriteThroughs of one key share.
type writer struct {
	n         int
	contended bool // more than one, or another write, since the first of them began
}

func (w *writers[K]) begin(key K) *writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.m == nil {
		w.m = map[K]*writer{}
	}
	at := w.m[key]
	if at == nil {
		at = &writer{}
		w.m[key] = at
	}
	at.contended = at.contended || at.n > 0
	at.n++
	return at
}

// end takes a writer away, and calls put if it was alone throughout.
func (w *writers[K]) end(key K, at *writer, put func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at.n--
	if at.n == 0 {
		delete(w.m, key)
	}
	if !at.contended {
		put()
	}
}

// at tells whether somebody writes the key.
func (w *writers[K]) at(key K) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.m[key] != nil
}

// disturb keeps those who write one of the keys that match from storing.
func (w *writers[K]) disturb(match func(K) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, at := range w.m {
		at.contended = at.contended || match(key)
	}
}

// unless calls put unless somebody writes the key, who is kept from storing then:
// whose value is the later one is not known.
func (w *writers[K]) unless(key K, put func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := w.m[key]; at != nil {
		at.contended = true
		return
	}
	put()
}
