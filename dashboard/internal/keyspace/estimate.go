package keyspace

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Estimate is what a Census has found out so far.
type Estimate struct {
	// Total is how many keys the server has.
	Total int64
	// Share is the part of them that was walked over, 1 after a whole walk; At is
	// when that was, zero before the first step.
	Share float64
	At    time.Time
	// Samples is how many keys were looked at, Timeless how many of those have no
	// expiry.
	Samples, Timeless int64
	Spaces            map[string]Space
	// Tags are those with a generation and those that sampled entries carry, in
	// alphabetical order.
	Tags []Tag
	// Hot are the sampled keys that are used most, where the server counts uses: it
	// does so under the maxmemory policies "…-lfu" only.
	Hot        []Hot
	CountsUses bool
}

// Space is what is estimated of the keys up to a first colon.
type Space struct {
	// Keys and Bytes are extrapolated where Share is less than 1; Bytes always is, and
	// NaN where no key was looked at.
	Keys, Bytes float64
	// Aside is how many of the keys end in ":generation" or ":index": in the namespace
	// of a session store those are its users', all others are sessions.
	Aside float64
	// Samples and Entries are what was looked at: keys, and those with an entry of
	// the cache. Timeless have no expiry.
	Samples, Entries, Timeless int64
	// Age is the median age of sampled entries, Life of the time for which they are
	// fresh, Cost of what their loads took. 0 where there is none.
	Age, Life, Cost time.Duration
}

// Tag is a tag that was seen.
type Tag struct {
	Name string
	// Known tells that Redis has a generation of it: it was used or invalidated in
	// the last day or more.
	Known bool
	// Samples is how many sampled entries carry it, and Keys how many entries that
	// makes, about.
	Samples int64
	Keys    float64
}

// Estimate returns what is known now: the last whole walk, or before there is one
// what the first has found so far.
func (s *Census) Estimate() Estimate {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.complete
	if w == nil {
		w = s.now
	}
	e := Estimate{
		Total: w.total, Samples: w.samples, Timeless: w.timeless, Spaces: make(map[string]Space, len(w.spaces)),
		Hot: slices.Clone(w.hot), CountsUses: w.frequencies && w.samples > 0, At: w.ended,
	}
	factor := 1.0
	switch {
	case w.walked == 0:
		return e
	case w.ended.IsZero():
		e.At = w.began
		factor = max(float64(w.total)/float64(w.walked), 1)
	}
	e.Share = 1 / factor
	for name, sp := range w.spaces {
		e.Spaces[name] = sp.estimate(factor)
	}
	e.Tags = w.estimateTags(factor)
	return e
}

func (sp *space) estimate(factor float64) Space {
	out := Space{
		Keys: float64(sp.keys) * factor, Aside: float64(sp.aside) * factor, Samples: sp.samples, Entries: sp.entries, Timeless: sp.timeless,
		Age: median(sp.ages), Life: median(sp.lives), Cost: median(sp.costs),
	}
	out.Bytes = math.NaN()
	if sp.samples > 0 {
		out.Bytes = sp.bytes / float64(sp.samples) * out.Keys
	}
	return out
}

// estimateTags takes a sampled entry for as many as there are to a sample of its space.
func (w *walk) estimateTags(factor float64) []Tag {
	all := map[string]Tag{}
	for name := range w.tagged {
		all[name] = Tag{Name: name, Known: true}
	}
	for c, n := range w.tags {
		t := all[c.tag]
		t.Name, t.Samples = c.tag, t.Samples+n
		if sp := w.spaces[c.space]; sp != nil && sp.samples > 0 {
			t.Keys += float64(n) * float64(sp.keys) * factor / float64(sp.samples)
		}
		all[c.tag] = t
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Tag) int { return cmp.Compare(a.Name, b.Name) })
}

func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return max(sorted[len(sorted)/2], 0)
}
