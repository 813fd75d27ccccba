package torture

import (
	"fmt"
	"time"
)

// bound is how long a call may take at most: what it may spend on Redis, on another
// process' load (until its lease ends), and on its own.
func (k Kind) bound() time.Duration {
	const loads = 2 * (leaseTime + slowLoad)
	switch k {
	case Get, GetMany:
		return cacheTimeout + loads
	case InvalidatePrefix: // walks as long as there are keys
		return 2 * time.Second
	}
	return cacheTimeout
}

// durationLocked judges how long an operation took, and how it ended: P4.
func (c *checker) durationLocked(o Op) {
	key := -1
	if len(o.Keys) > 0 {
		key = o.Keys[0]
	}
	if o.Outcome == Unexpected {
		c.addLocked(Finding{Promise: "P4", What: fmt.Sprintf("%v of process %d failed: %s", o.Kind, o.Proc, o.Text)}, o.Begin, o.End, key)
	}
	took := time.Duration(o.End-o.Begin) - o.Inner
	stalled := c.stalledLocked(o.Proc, o.Begin, o.End)
	c.tally.slow[o.Kind] = max(c.tally.slow[o.Kind], took-stalled)
	if allowed := o.Kind.bound() + callMargin + stallFactor*stalled; took > allowed {
		c.addLocked(Finding{Promise: "P4", What: fmt.Sprintf("%v of process %d took %v, %v are allowed",
			o.Kind, o.Proc, took.Round(time.Millisecond), allowed.Round(time.Millisecond))}, o.Begin, o.End, key)
	}
}

// diedUnasked hears of a process that ended without being told to: P4.
func (c *checker) diedUnasked(proc int, how error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(Finding{Promise: "P4", What: fmt.Sprintf("process %d died: %v", proc, how)}, now(), now(), -1)
}

// hung hears of a process that did not end when it was told to: P4.
func (c *checker) hung(proc int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(Finding{Promise: "P4", What: fmt.Sprintf("process %d did not end within %v: something hangs", proc, endTimeout)}, now(), now(), -1)
}
