package demo

import (
	"sort"
	"sync"
	"time"
)

// StalenessBound is how long after an invalidation through one instance the
// other may still answer with what it had.
const StalenessBound = time.Second

// verdict is what the checker says of one answer.
type verdict int

const (
	fine verdict = iota
	lagging
	stale
)

// checker knows what has been invalidated and judges answers by it.
type checker struct {
	// mu protects the following.
	mu     sync.Mutex
	floors map[string][]floor
	tally  tally
}

// tally counts verdicts.
type tally struct {
	// checked are the answers about things that had been invalidated before.
	checked, stale, lagging int
	longestLag              time.Duration
}

// floor says that the invalidation of everything below version had returned by
// at. The floors of a thing rise in both.
type floor struct {
	version  int64
	instance int
	at       time.Time
}

// mark is taken before a request is sent.
type mark struct {
	thing string
	// floors is how many invalidations of the thing had returned by began.
	floors int
	began  time.Time
}

func newChecker() *checker { return &checker{floors: map[string][]floor{}} }

// invalidated notes that the write that made version has been committed, and
// that its invalidation through instance had returned by at. It reports false,
// and notes nothing, where the version does not rise.
func (c *checker) invalidated(thing string, version int64, instance int, at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.floors[thing]
	if n := len(known); n > 0 && known[n-1].version >= version {
		return false
	}
	c.floors[thing] = append(known, floor{version, instance, at})
	return true
}

// begin must be called before the request is sent.
func (c *checker) begin(thing string, now func() time.Time) mark {
	c.mu.Lock()
	n := len(c.floors[thing])
	c.mu.Unlock()
	return mark{thing, n, now()}
}

// answered judges the answer of instance to the request that m marks, and
// counts it.
func (c *checker) answered(m mark, instance int, version int64) verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.floors == 0 {
		return fine
	}
	c.tally.checked++
	// Only what had returned when the request began binds its answer.
	floors := c.floors[m.thing][:m.floors]
	missed := floors[sort.Search(len(floors), func(i int) bool { return floors[i].version > version }):]
	if len(missed) == 0 {
		return fine
	}
	lag := m.began.Sub(missed[0].at)
	own := false
	for _, f := range missed {
		own = own || f.instance == instance
	}
	if own || lag > StalenessBound {
		c.tally.stale++
		return stale
	}
	c.tally.lagging++
	c.tally.longestLag = max(c.tally.longestLag, lag)
	return lagging
}

func (c *checker) result() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally
}
