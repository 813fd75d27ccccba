package torture

import (
	"fmt"
	"time"

	"github.com/larder-go/larder/internal/pending"
)

// What a process may hold at most: P6.
const (
	maxGoroutines = 600
	maxHeap       = 256 << 20
	maxL1Bytes    = maxL1 + maxL1/4 // the store evicts a moment after it inserts
	maxPending    = spaces * (pending.Max + 64)
	maxLeft       = 4 // goroutines, when all is closed
)

// sampleRecord follows one process.
type sampleRecord struct {
	last Sample
	// peaks
	goroutines int
	heap       uint64
	// since is when Redis was within reach again after a fault, until it has been reached.
	since   int64
	fault   string
	reached uint64
}

func (c *checker) sampleLocked(s Sample) {
	r := c.samples[s.Proc]
	if r == nil {
		r = &sampleRecord{}
		c.samples[s.Proc] = r
	}
	if r.since != 0 && s.At > r.since && r.last.At >= r.since && s.Reached > r.last.Reached {
		c.recoveredLocked(r, time.Duration(s.At-r.since))
	}
	r.last = s
	r.goroutines, r.heap = max(r.goroutines, s.Goroutines), max(r.heap, s.Heap)
	for _, b := range []struct {
		what      string
		got, most uint64
	}{
		{"goroutines", uint64(s.Goroutines), maxGoroutines},
		{"bytes of heap", s.Heap, maxHeap},
		{"bytes in L1", s.L1Bytes, maxL1Bytes},
		{"pending invalidations", uint64(s.Pending), maxPending},
	} {
		if b.got > b.most {
			c.addLocked(Finding{Promise: "P6", What: fmt.Sprintf("process %d had %d %s, %d are allowed", s.Proc, b.got, b.what, b.most)}, s.At, s.At, -1)
		}
	}
}

// left hears how many goroutines a process had left when all was closed: P6.
func (c *checker) left(proc, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > maxLeft {
		c.addLocked(Finding{Promise: "P6", What: fmt.Sprintf("process %d had %d goroutines more than before when all was closed", proc, n)}, now(), now(), -1)
	}
}

// healed hears that a fault has ended: from now on the processes may reach Redis.
func (c *checker) healed(fault string, procs []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, proc := range procs {
		if r := c.samples[proc]; r != nil {
			r.since, r.fault = now(), fault
		}
	}
}

func (c *checker) recoveredLocked(r *sampleRecord, took time.Duration) {
	if took > c.found.recovery {
		c.found.recovery, c.found.slowest = took, r.fault
	}
	r.since = 0
}
