package torture

import (
	"fmt"
	"slices"
	"time"
)

// loadedLocked takes a load that has ended.
func (c *checker) loadedLocked(l Load) {
	c.tally.loads++
	k := &c.keys[l.Key]
	k.loads = append(k.loads, l)
	if len(k.loads) > maxRecent {
		k.loads = slices.Clone(k.loads[maxRecent/2:])
	}
	c.loads = append(c.loads, l)
	if l.Twice {
		c.addLocked(Finding{Promise: "P3", Key: keyText(l.Key), What: fmt.Sprintf(
			"two loads of one key ran in process %d at the same time", l.Proc)}, l.Begin, l.End, l.Key)
	}
}

// togetherLocked looks for a load of the same key in another process that was running
// when this one began: P3. There may be one if
//
//   - a fault kept one of the processes from Redis, or Redis lost the lease;
//   - Redis did not answer one of the caches in time;
//   - the key was written: that takes the lease away, or is a barrier;
//   - one of the processes was not run, and could not renew its lease.
func (c *checker) togetherLocked(l Load) {
	const overlap = int64(2 * time.Millisecond) // less may be the clocks
	for _, other := range c.keys[l.Key].loads {
		if other.Proc == l.Proc || other.Begin > l.Begin || other.End < l.Begin+overlap {
			continue
		}
		from := other.Begin - int64(leaseTime)
		if l.Cut || other.Cut || !c.calmLocked(from, l.Begin, l.Proc, other.Proc) || c.writtenLocked(l.Key, other.Begin, l.Begin) ||
			c.stalledLocked(other.Proc, from, l.Begin)+c.stalledLocked(l.Proc, from, l.Begin) > leaseTime/4 {
			continue
		}
		c.addLocked(Finding{Promise: "P3", Key: keyText(l.Key), What: fmt.Sprintf(
			"processes %d and %d loaded one key at the same time, for %v",
			other.Proc, l.Proc, time.Duration(min(other.End, l.End)-l.Begin).Round(time.Millisecond))}, from-int64(leaseTime), l.End, l.Key)
		return
	}
}

// writtenLocked tells whether a write of a key was under way between two moments, or
// just before: its last command may still be on its way.
func (c *checker) writtenLocked(key int, from, to int64) bool {
	const late = int64(100 * time.Millisecond)
	return slices.ContainsFunc(c.keys[key].intents, func(r *intentRecord) bool {
		after := late
		if r.op != nil && r.op.Outcome == Pending { // a barrier that could not be lifted
			after = int64(leaseTime) + late
		}
		return r.Begun <= to && (r.ended == 0 || r.ended+after >= from)
	})
}
