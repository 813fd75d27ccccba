package larder

import (
	"sync/atomic"
	"unsafe"
)

// hitStripes spreads the counter of the hottest path over cache lines.
const hitStripes = 16

// counters are a Cache's statistics. Rare events have a counter each; hits in L1
// are spread, so that processors do not fight for one.
type counters struct {
	l1 [hitStripes]struct {
		n atomic.Uint64
		_ [56]byte
	}
	misses                                                 [reasons]atomic.Uint64
	l2Hits, staleHits, negativeHits, coalesced             atomic.Uint64
	loads, loadErrors, fills, fillsRefused, oversize       atomic.Uint64
	rejectedTag, rejectedNamespace                         atomic.Uint64
	rejectedIncarnation, rejectedSchema, corrupt, l2Errors atomic.Uint64
	invalidations, pushes                                  atomic.Uint64
}

// hitL1 counts an answer of L1, on a stripe that is the goroutine's: two that run
// at the same time have their stacks in different places.
func (c *counters) hitL1() {
	var here byte
	at := uintptr(unsafe.Pointer(&here))
	c.l1[(at>>11^at>>15)%hitStripes].n.Add(1)
}

// hit counts an answer of a tier.
func (c *counters) hit(inL1 bool) {
	if inL1 {
		c.hitL1()
	} else {
		c.l2Hits.Add(1)
	}
}

func (c *counters) snapshot() Stats {
	s := Stats{
		L2Hits: c.l2Hits.Load(), StaleHits: c.staleHits.Load(), NegativeHits: c.negativeHits.Load(),
		Coalesced: c.coalesced.Load(),
		Loads:     c.loads.Load(), LoadErrors: c.loadErrors.Load(),
		Fills: c.fills.Load(), FillsRefused: c.fillsRefused.Load(), Oversize: c.oversize.Load(),
		RejectedTag: c.rejectedTag.Load(), RejectedIncarnation: c.rejectedIncarnation.Load(), RejectedSchema: c.rejectedSchema.Load(),
		Corrupt: c.corrupt.Load(), L2Errors: c.l2Errors.Load(),
		Invalidations: c.invalidations.Load(), Pushes: c.pushes.Load(),
	}
	s.RejectedGeneration = s.RejectedTag + c.rejectedNamespace.Load()
	for i := range c.misses {
		s.Misses += c.misses[i].Load()
	}
	for i := range c.l1 {
		s.L1Hits += c.l1[i].n.Load()
	}
	return s
}
