package redisconn

import (
	"sync"

	"github.com/larder-go/larder/observe"
)

// gateSet is the gates of one client, by address.
type gateSet struct {
	life     *life
	one      bool             // one gate for all addresses: a server, or a monitored master
	name     string           // of that one
	observer observe.Observer // nil for none

	mu   sync.Mutex // protects the following
	list map[string]*gate
}

func newGateSet(w *wire) *gateSet {
	return &gateSet{
		life: w.life, one: !w.target.cluster, name: w.target.addrs[0], observer: w.opts.Observer,
		list: make(map[string]*gate),
	}
}

func (s *gateSet) get(addr string) *gate {
	g, made := s.find(addr)
	if made && g.watched != nil {
		s.life.finally(g.watched.register(g))
	}
	return g
}

func (s *gateSet) find(addr string) (g *gate, made bool) {
	key, name := addr, addr
	if s.one {
		key, name = "", s.name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g = s.list[key]; g != nil {
		return g, false
	}
	g = newGate(addr, s.life)
	g.watched = newWatched(s.observer, name)
	s.list[key] = g
	return g, true
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
