package sqlcache

import "sync"

// memo remembers what was made of texts. When it is full it forgets them all: a program
// has so many statements, or makes a new one each time.
type memo[V any] struct {
	mu sync.RWMutex // protects m
	m  map[string]V
}

const (
	memoEntries = 4096
	memoBytes   = 16 << 10 // of one text
)

func (m *memo[V]) get(text string, make func() V) V {
	m.mu.RLock()
	v, ok := m.m[text]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = make()
	if len(text) > memoBytes {
		return v
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil || len(m.m) >= memoEntries {
		m.m = map[string]V{}
	}
	m.m[text] = v
	return v
}
