package larder

import (
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
)

// reason is why neither tier could answer a Get. The zero value is that neither has
// the key.
type reason uint8

const (
	missAbsent      reason = iota
	missExpired            // past its TTL and StaleFor
	missTag                // one of its tags was invalidated, or is not known any more
	missGeneration         // loaded under another generation of the namespace
	missSchema             // stored by a program with another type of value, or codec
	missCorrupt            // unreadable
	missIncarnation        // of another life of the node: it was restarted, or has failed over
	missLoading            // another caller loads it, in this process or another
	missLostLease          // its loader has died, or lost its way to Redis
	missBarrier            // a WriteThrough is under way
	missPending            // an invalidation of it could not be delivered yet
	missUnreachable        // Redis did not answer in time
	reasons
)

// reasonNames are the labels of the metric "larder.cache.misses".
var reasonNames = [reasons]string{
	missAbsent: "absent", missExpired: "expired", missTag: "tag", missGeneration: "generation", missSchema: "schema",
	missCorrupt: "corrupt", missIncarnation: "incarnation", missLoading: "loading", missLostLease: "lost_lease",
	missBarrier: "barrier", missPending: "pending", missUnreachable: "unreachable",
}

// miss counts a Get that was none of the hits.
func (c *counters) miss(why reason) { c.misses[why].Add(1) }

// emptyOf tells why an entry has no value to serve.
func emptyOf(e entry.Entry, now int64) reason {
	placeholder := e.Flags&entry.Placeholder != 0
	switch {
	case e.Flags&entry.Barrier != 0:
		if e.LeaseUntil > now {
			return missBarrier
		}
		return missAbsent
	case lease.IsOfLoad(e.Token) && e.LeaseUntil > now:
		return missLoading
	case lease.IsOfLoad(e.Token) && placeholder:
		return missLostLease
	case placeholder:
		return missAbsent
	}
	return missExpired
}

// uncoveredOf tells why an entry that only this process could have does not count.
func uncoveredOf[V any](e *l1.Entry[V], nsKey string) reason {
	if doubt, ok := e.Doubt(0); ok && doubt.Generation != nsKey {
		return missTag
	}
	return missGeneration
}
