package redisconn

import "sync"

// gateSet is the gates of one client, by address.
type gateSet struct {
	life *life
	one  bool // one gate for all addresses: a server, or a monitored master

	mu   sync.Mutex // protects the following
	list map[string]*gate
}

func newGateSet(l *life, one bool) *gateSet {
	return &gateSet{life: l, one: one, list: make(map[string]*gate)}
}

func (s *gateSet) get(addr string) *gate {
	key := addr
	if s.one {
		key = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.list[key]
	if g == nil {
		g = newGate(addr, s.life)
		s.list[key] = g
	}
	return g
}

func (s *gateSet) all() []*gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	gates := make([]*gate, 0, len(s.list))
	for _, g := range s.list {
		gates = append(gates, g)
	}
	return gates
}
