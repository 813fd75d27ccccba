package larder

import (
	"context"
	"sync/atomic"
	"time"
)

// The consistency probe measures how often the cache serves what its source no longer
// has. It takes a key that a Get was answered for, and looks a second and a minute
// later whether the two agree.
//
// A difference alone proves nothing: the invalidation that follows a write may be on
// its way. It counts if an entry that was in the cache before the source was asked is
// still served after settle and StalenessBound have gone by, and differs from the
// source still. The entry's load ended before the source answered otherwise, so a
// write came in between, and its invalidation had that long to arrive. An entry that
// was loaded anew meanwhile proves that it did.

// probeDelays are how long after a key was served the probe looks.
var probeDelays = [...]time.Duration{time.Second, time.Minute}

// probeDelayNames are the labels of the probe's metrics.
var probeDelayNames = [...]string{"1s", "60s"}

const (
	minProbeEvery = time.Second
	// maxSamples bounds the keys that wait to be looked at: as many as a minute has
	// seconds, and some.
	maxSamples = 64
	// settle is how long a writer may take from its commit to the end of its
	// invalidation.
	settle = 2 * time.Second
)

// probe is the consistency probe of a cache. A nil probe does nothing.
type probe[K comparable, V any] struct {
	cache *Cache[K, V]
	armed atomic.Bool // the next key served is taken
	taken chan K      // of one: only who disarms sends
	busy  atomic.Bool // the source is asked, maybe by one that was given up

	checked, stale   [len(probeDelays)]atomic.Uint64
	undecided, loads atomic.Uint64
}

// newProbe makes the probe that the options want, nil for none.
func newProbe[K comparable, V any](c *Cache[K, V]) *probe[K, V] {
	if c.opts.ProbeEvery == 0 {
		return nil
	}
	return &probe[K, V]{cache: c, taken: make(chan K, 1)}
}

// offer tells of a key that was served. It is on the path of a hit in L1.
func (p *probe[K, V]) offer(key K) {
	if p != nil && p.armed.Load() {
		p.take(key)
	}
}

func (p *probe[K, V]) take(key K) {
	if p.armed.CompareAndSwap(true, false) {
		p.taken <- key
	}
}

// count adds what the probe has found.
func (p *probe[K, V]) count(s *Stats) {
	if p == nil {
		return
	}
	s.ProbeChecked1s, s.ProbeStale1s = p.checked[0].Load(), p.stale[0].Load()
	s.ProbeChecked60s, s.ProbeStale60s = p.checked[1].Load(), p.stale[1].Load()
	s.ProbeUndecided, s.ProbeLoads = p.undecided.Load(), p.loads.Load()
}

// sample is a key that was served.
type sample[K comparable, V any] struct {
	key   K
	at    time.Time
	delay int // the index of the next of probeDelays
	due   time.Time
	doubt *served[V] // differed from the source at the first look
}

// next readies a sample for its next delay, and tells whether there is one.
func (s *sample[K, V]) next() bool {
	s.doubt = nil
	if s.delay++; s.delay == len(probeDelays) {
		return false
	}
	s.due = s.at.Add(probeDelays[s.delay])
	return true
}

// run takes samples and looks after them, one at a time, until ctx ends.
func (p *probe[K, V]) run(ctx context.Context) {
	every := p.cache.opts.ProbeEvery
	var samples []*sample[K, V]
	arm := time.NewTimer(every)
	defer arm.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		if first := firstDue(samples); first != nil {
			due.Reset(time.Until(first.due))
		} else {
			due.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-arm.C:
			if len(samples) < maxSamples {
				p.armed.Store(true)
			} else {
				arm.Reset(every)
			}
		case key := <-p.taken:
			now := time.Now()
			samples = append(samples, &sample[K, V]{key: key, at: now, due: now.Add(probeDelays[0])})
			arm.Reset(every)
		case <-due.C:
			s := firstDue(samples)
			if s != nil && !p.look(ctx, s) {
				samples = without(samples, s)
			}
		}
	}
}

func firstDue[K comparable, V any](samples []*sample[K, V]) (first *sample[K, V]) {
	for _, s := range samples {
		if first == nil || s.due.Before(first.due) {
			first = s
		}
	}
	return first
}

func without[K comparable, V any](samples []*sample[K, V], gone *sample[K, V]) []*sample[K, V] {
	kept := samples[:0]
	for _, s := range samples {
		if s != gone {
			kept = append(kept, s)
		}
	}
	clear(samples[len(kept):]) // let go of the key
	return kept
}
