package larder

import (
	"strings"
	"time"

	"github.com/larder-go/larder/internal/inspect"
)

// Explanation is what is known of one key: see Cache.Explain. Durations are as of
// the moment of the look; those of what Redis holds are by its server's clock. In
// JSON they are nanoseconds. It holds neither the value nor the token of a lease.
type Explanation struct {
	// Namespace and Key, encoded, make up RedisKey, under which the value lives.
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	RedisKey  string `json:"redis_key"`
	// Server is where: kind, version and, in a cluster, slot and node; "this
	// process" with Options.Local.
	Server string `json:"server"`
	// Verdict says in one line what a Get of this process would do, and why.
	Verdict string `json:"verdict"`

	// InL1 tells whether this process holds a value, or the knowledge that there
	// is none; NotFromL1 says why a Get is not served from it, "" where it is.
	InL1      bool   `json:"in_l1"`
	NotFromL1 string `json:"not_from_l1,omitzero"`
	// L1Bytes is its encoded size, L1Age the time since its load began (0 where
	// Redis did not answer then: see Options.Lenient). L1FreshFor and L1ServedFor are
	// what is left of its two lives in L1, 0 for none.
	L1Bytes     int           `json:"l1_bytes,omitzero"`
	L1Age       time.Duration `json:"l1_age_ns,omitzero"`
	L1FreshFor  time.Duration `json:"l1_fresh_for_ns,omitzero"`
	L1ServedFor time.Duration `json:"l1_served_for_ns,omitzero"`

	// Flight is what this process has under way for the key: "load", for which a
	// Get waits; "refresh", behind a value that is served meanwhile; "overtaken",
	// a load that was invalidated since, so that a Get begins another after it;
	// "pause", which a failed refresh has left behind; "" for nothing.
	Flight string `json:"flight,omitzero"`
	// Writing tells that a WriteThrough of the key is under way, in this process
	// where there is no Redis, else in any.
	Writing bool `json:"writing"`
	// Pending tells that an invalidation of the key, its namespace or one of its
	// tags by this process has not reached Redis yet: see ErrInvalidationPending.
	Pending bool `json:"pending"`

	// Stored is what Redis holds, nil where that is nothing, or no entry.
	Stored *ExplainedEntry `json:"stored,omitzero"`
	// Generations are those of the namespace, which is the first, and of the tags
	// of the entry, or where Redis has none of Options.Tags. Without Redis there
	// are none to tell of.
	Generations []ExplainedGeneration `json:"generations,omitzero"`
	// LastInvalidation is the latest invalidation of the namespace or one of the
	// tags that is known of: by whom, and when. It may be older than the value. nil
	// means none. Who called Invalidate, InvalidateBelow, InvalidatePrefix, Set or
	// WriteThrough is not recorded anywhere, nor who invalidated a Local cache.
	LastInvalidation *ExplainedGeneration `json:"last_invalidation,omitzero"`

	report inspect.Report // of Redis, for String
}

// ExplainedEntry is what Redis holds of a key: see Explanation.
type ExplainedEntry struct {
	// Kind is "value"; "negative", the knowledge that the source has none;
	// "placeholder", which has a lease and no value; "barrier", of a WriteThrough
	// under way; or "tombstone", of InvalidateBelow.
	Kind string `json:"kind"`
	// Bytes is the size of the whole, PayloadBytes that of the encoded value.
	Bytes        int64 `json:"bytes"`
	PayloadBytes int64 `json:"payload_bytes"`
	// ValidatorBytes is the length of Item.Validator, 0 for none.
	ValidatorBytes int `json:"validator_bytes,omitzero"`
	// LoadedAt is when the load began, Age how long ago that is, LoadCost how long
	// it took. They and the next are zero where there is no value.
	LoadedAt time.Time     `json:"loaded_at,omitzero"`
	Age      time.Duration `json:"age_ns"`
	LoadCost time.Duration `json:"load_cost_ns"`
	// FreshFor and ServedFor are what is left of the value's two lives (see
	// Options.TTL and StaleFor), 0 for none; ClearOver may have cut them.
	FreshFor  time.Duration `json:"fresh_for_ns"`
	ServedFor time.Duration `json:"served_for_ns"`
	// TTL is when Redis removes the key.
	TTL time.Duration `json:"ttl_ns"`
	// Revision is that of Options.Revision, 0 for none; without a value, the lowest
	// that will be stored. RefusedFor is how long a tombstone still refuses lower
	// ones.
	Revision   uint64        `json:"revision,string,omitzero"`
	RefusedFor time.Duration `json:"refused_for_ns,omitzero"`
	// Lease is "held" by a load; "paused", where a refresh has failed or brought an
	// older revision, so that nobody tries for LeaseLeft; "failed", where a load
	// has left nothing else; "" for none.
	Lease     string        `json:"lease,omitzero"`
	LeaseLeft time.Duration `json:"lease_left_ns,omitzero"`
	// Writers is how many WriteThroughs keep up a barrier, for BarrierLeft unless
	// they extend it. Contended says that no value of theirs will be stored.
	Writers     int           `json:"writers,omitzero"`
	BarrierLeft time.Duration `json:"barrier_left_ns,omitzero"`
	Contended   bool          `json:"contended,omitzero"`
	// Incarnation is that of the node which stored the entry, hexadecimal;
	// SameIncarnation tells whether it is the present one. Another is a miss: the
	// server was restarted or replaced.
	Incarnation     string `json:"incarnation"`
	SameIncarnation bool   `json:"same_incarnation"`
	// SameSchema tells whether it was stored by a Cache of the same codec and type.
	SameSchema bool `json:"same_schema"`
}

// ExplainedGeneration is what the namespace or a tag of an entry stands at: see
// Explanation.
type ExplainedGeneration struct {
	// Tag is the name, "" for the namespace's.
	Tag string `json:"tag,omitzero"`
	// State is "current"; "overtaken" by an invalidation since the entry was
	// loaded; "ending" by ClearOver, which leaves the entry Left; or "missing" in
	// Redis, which is a miss.
	State string        `json:"state"`
	Left  time.Duration `json:"left_ns,omitzero"`
	// MadeAt and Age are when the present generation was made, by the clock of its
	// node. By is the process that made it by invalidating, "host/pid"; "" where it
	// was made at its first use, or the first after it was lost.
	MadeAt time.Time     `json:"made_at,omitzero"`
	Age    time.Duration `json:"age_ns"`
	By     string        `json:"by,omitzero"`
}

// String tells it for people, one fact a line.
func (x Explanation) String() string {
	r := x.report
	r.RedisKey, r.Verdict = x.RedisKey, x.Verdict
	r.Process = &inspect.Process{L1: x.l1(), Flight: x.flight(), Pending: x.Pending, Writing: x.Writing && x.Stored == nil}
	if g := x.LastInvalidation; g != nil {
		r.Process.Last = &inspect.Last{What: "namespace", Name: x.Namespace, By: g.By, Age: g.Age}
		if g.Tag != "" {
			r.Process.Last.What, r.Process.Last.Name = "tag", g.Tag
		}
	}
	var b strings.Builder
	_ = r.WriteText(&b)
	return b.String()
}

func (x Explanation) l1() string {
	age := ""
	if x.L1Age > 0 {
		age = inspect.Span(x.L1Age) + " old, "
	}
	switch {
	case !x.InL1:
		return x.NotFromL1
	case x.NotFromL1 != "":
		return age + "not served: " + x.NotFromL1
	case x.L1FreshFor > 0:
		return age + "fresh for " + inspect.Span(x.L1FreshFor)
	}
	return age + "stale, served for " + inspect.Span(x.L1ServedFor)
}

// The flights of an Explanation.
const (
	flightLoad      = "load"
	flightRefresh   = "refresh"
	flightOvertaken = "overtaken"
	flightPause     = "pause"
)

func (x Explanation) flight() string {
	return map[string]string{
		flightLoad:      "a load is under way here, for which a Get waits",
		flightRefresh:   "a load is under way here, behind what is served",
		flightOvertaken: "a load is under way here that was overtaken: a Get begins the next after it",
		flightPause:     "none for a while: the last refresh here has failed",
	}[x.Flight]
}

// explained turns what was found in Redis into its public form.
func (c *Cache[K, V]) explained(r inspect.Report) *ExplainedEntry {
	e := r.Entry
	out := &ExplainedEntry{
		Kind: string(e.Kind), Bytes: r.Bytes, PayloadBytes: e.PayloadBytes, ValidatorBytes: e.ValidatorBytes,
		LoadedAt: e.LoadedAt, Age: e.Age.Duration, LoadCost: e.LoadCost.Duration,
		FreshFor: e.FreshFor.Duration, ServedFor: e.ServedFor.Duration, TTL: r.TTL.Duration,
		Revision: e.Revision, RefusedFor: e.RefusedFor.Duration, LeaseLeft: e.Lease.Left.Duration,
		Incarnation: e.Incarnation, SameIncarnation: e.Life == inspect.ThisLife, SameSchema: e.HasSchema(c.schema),
	}
	switch l := e.Lease; {
	case l.Held:
		out.Lease = "held"
	case l.Paused:
		out.Lease = "paused"
	case l.Failed:
		out.Lease = "failed"
	}
	if w := e.Writers; w != nil {
		out.Writers, out.BarrierLeft, out.Contended = w.Count, w.Left.Duration, w.Contended
	}
	return out
}

// explainedGenerations turns generations, the namespace's first, into their public
// form.
func explainedGenerations(gens []inspect.Generation) []ExplainedGeneration {
	out := make([]ExplainedGeneration, len(gens))
	for i, g := range gens {
		out[i] = ExplainedGeneration{State: string(g.State), Left: g.Left.Duration, MadeAt: g.At, Age: g.Age.Duration, By: g.By}
		if i > 0 {
			out[i].Tag = g.Name
		}
	}
	return out
}

// lastOf returns the latest that was made by an invalidation.
func lastOf(gens []ExplainedGeneration) (last *ExplainedGeneration) {
	for _, g := range gens {
		if g.By != "" && (last == nil || g.MadeAt.After(last.MadeAt)) {
			last = &g
		}
	}
	return last
}
