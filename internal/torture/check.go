package torture

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"
)

// How far bounds give way to a machine that is loaded: a fixed part, and a multiple of
// the time for which the processes concerned were not run meanwhile.
const (
	clockMargin  = 100 * time.Millisecond
	callMargin   = 500 * time.Millisecond
	stallFactor  = 4
	deliverAfter = 20 * time.Second // of faults, at the latest, all that is pending is delivered
)

// judgeAfter is how old an operation is when it is judged: reports come late.
const judgeAfter = 4 * time.Second

// limits are what depends on where the torture takes place.
type limits struct {
	// others is how far a process may be behind an invalidation of another.
	others time.Duration
	// settle is for how long after a fault Redis may still not be reachable.
	settle time.Duration
}

// checker judges what processes report. It knows:
//
//   - since when each version of each key must not be seen any more, by the process
//     that has invalidated it, and by the others;
//   - which writes are under way, and which faults;
//   - when which process was not run.
type checker struct {
	limits limits

	mu      sync.Mutex // protects the following
	keys    [allKeys]keyRecord
	intents map[uint64]*intentRecord
	pending []Op // that were pending when they returned, and are not known to be delivered
	stalls  map[int][]Stall
	faults  []window
	queue   []Op // reads that are not judged yet
	loads   []Load
	samples map[int]*sampleRecord
	found   findings
	tally   tally
}

// keyRecord is what is known of one key.
type keyRecord struct {
	// others are the invalidations that all processes must have heard of, own those that
	// a process has made, both in the order of their times.
	others floors
	own    map[int]floors
	// recent are writes and loads of late, for histories and for P3.
	intents []*intentRecord
	loads   []Load
}

// floor says that since a moment no version below must be seen.
type floor struct {
	at      int64
	version int64
	op      *Op
	late    bool  // it was pending at first
	top     int64 // the highest version up to here
}

type floors []floor

// add keeps them in order.
func (f *floors) add(x floor) {
	i := sort.Search(len(*f), func(i int) bool { return (*f)[i].at > x.at })
	*f = slices.Insert(*f, i, x)
	if len(*f) > maxFloors { // of the oldest half only the highest version matters
		old := (*f)[:maxFloors/2]
		highest := slices.MaxFunc(old, func(a, b floor) int { return cmp.Compare(a.version, b.version) })
		*f = append(floors{highest}, (*f)[maxFloors/2:]...)
		i = 0
	}
	for ; i < len(*f); i++ {
		(*f)[i].top = (*f)[i].version
		if i > 0 {
			(*f)[i].top = max((*f)[i].top, (*f)[i-1].top)
		}
	}
}

const maxFloors = 4096

// above returns the first of them until a moment that a version is below.
func (f floors) above(version, until int64) (floor, bool) {
	i := sort.Search(len(f), func(i int) bool { return f[i].top > version })
	if i == len(f) || f[i].at > until {
		return floor{}, false
	}
	return f[i], true
}

// intentRecord is a write that has begun.
type intentRecord struct {
	intent
	committed int64 // when, 0 for not yet
	versions  []int64
	ended     int64 // when, 0 for not yet
	op        *Op
}

// window is a time in which promises that need Redis may not hold.
type window struct {
	name     string
	procs    []int // nil: all
	from, to int64 // to is 0 while it lasts
}

// tally counts.
type tally struct {
	ops      [kinds]int
	outcomes [Unexpected + 1]int
	loads    int
	judged   int // values that were compared with an invalidation that had returned
	lags     []time.Duration
	longest  time.Duration // a call
	slow     map[Kind]time.Duration
}

func newChecker(l limits) *checker {
	return &checker{
		limits: l, intents: map[uint64]*intentRecord{}, stalls: map[int][]Stall{},
		samples: map[int]*sampleRecord{}, found: findings{}, tally: tally{slow: map[Kind]time.Duration{}},
	}
}

// begun hears that a write begins.
func (c *checker) begun(in intent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &intentRecord{intent: in}
	c.intents[in.ID] = r
	for _, key := range in.Keys {
		k := &c.keys[key]
		k.intents = append(k.intents, r)
		if len(k.intents) > maxRecent {
			k.intents = slices.Clone(k.intents[maxRecent/2:])
		}
	}
}

// maxRecent is how many writes and loads of a key are remembered.
const maxRecent = 2000

// written hears that a write has changed the source.
func (c *checker) written(id uint64, _ []int, versions []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.intents[id]; r != nil {
		r.committed, r.versions = now(), versions
	}
}

// died hears that a process is gone: what it was writing has ended.
func (c *checker) died(proc int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.intents {
		if r.Proc == proc && r.ended == 0 {
			r.ended = now() + int64(leaseTime) // its barriers end by then
		}
	}
	c.pending = slices.DeleteFunc(c.pending, func(o Op) bool { return o.Proc == proc })
}

// fault hears of a fault that begins; end of its end.
func (c *checker) fault(name string, procs []int) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := len(c.faults)
	c.faults = append(c.faults, window{name: name, procs: procs, from: now()})
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.faults[i].to = now()
	}
}

// hear takes what a process reports.
func (c *checker) hear(b batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range b.Stalls {
		c.stalls[s.Proc] = append(c.stalls[s.Proc], s)
	}
	for _, s := range b.Samples {
		c.sampleLocked(s)
	}
	for i := range b.Loads {
		c.loadedLocked(b.Loads[i])
	}
	for i := range b.Ops {
		c.endedLocked(b.Ops[i])
	}
	for _, d := range b.Delivered {
		c.deliveredLocked(d)
	}
}

// endedLocked takes an operation that has ended.
func (c *checker) endedLocked(o Op) {
	c.tally.ops[o.Kind]++
	c.tally.outcomes[o.Outcome]++
	if o.Kind.reads() {
		c.queue = append(c.queue, o)
		return
	}
	op := &o
	if r := c.intents[o.ID]; r != nil {
		r.ended, r.op = o.End, op
		delete(c.intents, o.ID)
	}
	c.durationLocked(o)
	if len(o.Values) != len(o.Keys) || o.Outcome > Pending {
		return
	}
	// The process that invalidates must obey also what is pending.
	for i, key := range o.Keys {
		k := &c.keys[key]
		if k.own == nil {
			k.own = map[int]floors{}
		}
		own := k.own[o.Proc]
		own.add(floor{at: o.End, version: o.Values[i], op: op, late: o.Outcome == Pending})
		k.own[o.Proc] = own
		if o.Outcome == OK {
			k.others.add(floor{at: o.End, version: o.Values[i], op: op})
		}
	}
	if o.Outcome == Pending {
		c.pending = append(c.pending, o)
	}
}

// deliveredLocked makes what was pending count for all.
func (c *checker) deliveredLocked(d Delivered) {
	c.pending = slices.DeleteFunc(c.pending, func(o Op) bool {
		if o.Proc != d.Proc || o.Space != d.Space || o.End > d.At {
			return false
		}
		for i, key := range o.Keys {
			c.keys[key].others.add(floor{at: d.At, version: o.Values[i], op: &o, late: true})
		}
		return true
	})
}

// judge looks at what is old enough; all of it at the end.
func (c *checker) judge(all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := now() - int64(judgeAfter)
	c.queue = slices.DeleteFunc(c.queue, func(o Op) bool {
		if !all && o.End > until {
			return false
		}
		c.durationLocked(o)
		for i := range o.Keys {
			c.readLocked(o, i)
		}
		return true
	})
	c.loads = slices.DeleteFunc(c.loads, func(l Load) bool {
		if !all && l.Begin > until {
			return false
		}
		c.togetherLocked(l)
		return true
	})
}

// readLocked judges one value that was read: P1 and P5.
func (c *checker) readLocked(o Op, i int) {
	k, version := &c.keys[o.Keys[i]], o.Values[i]
	if len(k.others) > 0 && k.others[0].at <= o.Begin {
		c.tally.judged++
	}
	if f, stale := k.own[o.Proc].above(version, o.Begin); stale {
		c.foundLocked(promiseOf(f), o, i, f, "the process that invalidated got an older value back")
		return
	}
	f, stale := k.others.above(version, o.Begin)
	if !stale {
		return
	}
	lag := time.Duration(o.Begin - f.at)
	if len(c.tally.lags) < maxLags {
		c.tally.lags = append(c.tally.lags, lag)
	}
	allowed := c.limits.others + clockMargin + stallFactor*c.stalledLocked(o.Proc, f.at, o.Begin)
	if lag > allowed {
		c.foundLocked(promiseOf(f), o, i, f, "another process was behind for "+lag.Round(time.Millisecond).String()+", "+
			allowed.Round(time.Millisecond).String()+" are allowed")
	}
}

const maxLags = 1 << 20

// promiseOf is the one that a stale read breaks.
func promiseOf(f floor) string {
	if f.late {
		return "P5"
	}
	return "P1"
}

// stalledLocked is for how long a process, or the one that tortures, was not run
// between two moments.
func (c *checker) stalledLocked(proc int, from, to int64) (d time.Duration) {
	for _, id := range []int{proc, parentProc} {
		list := c.stalls[id]
		i := sort.Search(len(list), func(i int) bool { return list[i].End >= from })
		for ; i < len(list) && list[i].Begin <= to; i++ {
			d += time.Duration(min(list[i].End, to+int64(callMargin)) - max(list[i].Begin, from-int64(callMargin)))
		}
	}
	return d
}

// parentProc is the process that tortures, whose proxies and source all need.
const parentProc = 0

// calmLocked tells whether no fault has touched one of the processes between two
// moments, nor shortly before.
func (c *checker) calmLocked(from, to int64, procs ...int) bool {
	for _, w := range slices.Backward(c.faults) {
		over := w.to != 0 && w.to+int64(c.limits.settle) < from
		if w.from > to || over {
			continue
		}
		if w.procs == nil || slices.ContainsFunc(procs, func(p int) bool { return slices.Contains(w.procs, p) }) {
			return false
		}
	}
	return true
}
