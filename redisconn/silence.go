package redisconn

import "time"

// spoke notes that the server has sent something.
func (g *gate) spoke() {
	if g.state.Load() == gateSilent {
		g.state.CompareAndSwap(gateSilent, gateOpen)
	}
}

// look shuts the gate of a silent connection, and cuts one that is silent for
// too long. Only the watcher calls it. A read first counts and then looks at the
// state, this first sets the state and then looks at the count: one of the two
// sees the other.
func (g *gate) look(now time.Duration, o Options) {
	s := g.socket.Load()
	if s == nil {
		return
	}
	reads := s.reads.Load()
	var silent time.Duration
	if since := s.since.Load(); since != 0 {
		silent = now - time.Duration(since)
	}
	// The last byte may have come for another call than the one that waits, or
	// have been the middle of its answer.
	waiting := g.beating.Load() || g.inside() > 0
	if g.seen.socket != s || g.seen.reads != reads || !waiting {
		g.seen.socket, g.seen.reads, g.seen.at = s, reads, now
	}
	silent = max(silent, now-g.seen.at)
	switch {
	case silent >= o.CutTimeout:
		if s.reads.Load() == reads {
			s.cut(errCut)
		}
	case silent >= o.SilenceTimeout && g.state.CompareAndSwap(gateOpen, gateSilent):
		if s.reads.Load() != reads {
			g.spoke()
			return
		}
		g.wake(-1)
	}
}
