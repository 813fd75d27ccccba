package inspect

import (
	"strconv"
	"time"
)

// State is what a Get would make of a key.
type State string

// The states of a Report.
const (
	Fresh   State = "fresh"   // served
	Stale   State = "stale"   // served, while one caller loads
	Miss    State = "miss"    // there is an entry, which may not be served
	Absent  State = "absent"  // there is nothing
	Foreign State = "foreign" // there is something that is not an entry
)

// Report is what is known of one key.
type Report struct {
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	// RedisKey is where the entry lives.
	RedisKey string `json:"redis_key"`
	Place    Place  `json:"place"`

	State State `json:"state"`
	// Verdict says in one line what a Get would do, and why.
	Verdict string `json:"verdict"`
	Exists  bool   `json:"exists"`
	// Type is the Redis type of what is there: "string" for every entry.
	Type string `json:"type,omitzero"`
	// Bytes is the length of the whole string.
	Bytes int64 `json:"bytes,omitzero"`
	// Expires tells whether Redis will remove the key, and TTL when.
	Expires bool     `json:"expires"`
	TTL     Duration `json:"ttl_ms"`

	// Entry is nil unless there is one.
	Entry *Entry `json:"entry,omitzero"`

	// Process is nil unless a process tells what it knows itself.
	Process *Process `json:"-"`
}

// Place is the server that has the key.
type Place struct {
	// Server is "redis", "valkey", "embedded" or "upstash".
	Server  string `json:"server"`
	Version string `json:"version,omitzero"`
	// Slot and Node, host:port, are set in a cluster, if it tells them.
	Slot *int64 `json:"slot,omitzero"`
	Node string `json:"node,omitzero"`
}

// Kind is what an entry holds.
type Kind string

// The kinds of an Entry.
const (
	Value       Kind = "value"
	Negative    Kind = "negative"    // the source has no such value
	Placeholder Kind = "placeholder" // no value: a lease, or a load that has failed
	Barrier     Kind = "barrier"     // a WriteThrough is under way; no value
	Tombstone   Kind = "tombstone"   // an InvalidateBelow is remembered; no value
)

// Entry is what an entry says about itself. All ages and remaining times are by
// the clock of the server.
type Entry struct {
	Kind Kind `json:"kind"`
	// PayloadBytes is the length of the encoded value.
	PayloadBytes int64 `json:"payload_bytes"`
	// Where there is no value, the times are zero.
	LoadedAt time.Time `json:"loaded_at,omitzero"`
	Age      Duration  `json:"age_ms"`
	// FreshFor and ServedFor are what is left of the two lives, 0 for none. Where
	// the namespace is being cleared, that may be their end.
	FreshFor  Duration `json:"fresh_for_ms"`
	ServedFor Duration `json:"served_for_ms"`
	// ExpiredFor is the time since both have ended.
	ExpiredFor Duration `json:"expired_for_ms"`
	LoadCost   Duration `json:"load_cost_ms"`

	// Revision is the source's version of the value, 0 for none: one of a lower is
	// not stored over it. Where there is no value, it is the lowest to be stored. It
	// is a string in JSON, where large numbers are not exact.
	Revision uint64 `json:"revision,string,omitzero"`
	// RefusedFor is for how long a tombstone, which may stand under a barrier, will
	// refuse values of lower revisions; 0 for none.
	RefusedFor Duration `json:"refused_for_ms"`
	// ValidatorBytes is the length of what the next load may ask the source by, 0
	// for none. The text is not shown: it may be derived from the value.
	ValidatorBytes int `json:"validator_bytes,omitzero"`
	// Writers are those of a barrier, else nil.
	Writers *Writers `json:"writers,omitzero"`

	// ID, Schema and Incarnation are hexadecimal.
	ID     string `json:"id"`
	Schema string `json:"schema"`
	// Incarnation names the life of the node in which the entry was stored, and
	// Life compares it with the present one.
	Incarnation string `json:"incarnation"`
	Life        Life   `json:"life"`

	Lease      Lease        `json:"lease"`
	Generation *Generation  `json:"generation,omitzero"` // of the namespace; nil where there is no value
	Tags       []Generation `json:"tags,omitzero"`
}

// Life says in which life of a node something was stored.
type Life string

// The lives of an Entry.
const (
	ThisLife    Life = "this"
	AnotherLife Life = "another" // before a restart or a failover: a miss
	UnknownLife Life = "unknown" // the connection does not know the present one
)

// Lease is the right to load that stands in an entry.
type Lease struct {
	// Held tells whether a load is under way.
	Held bool `json:"held"`
	// Paused tells that no load may begin yet because the last one failed, or
	// brought an older revision than the value that stands.
	Paused bool `json:"paused"`
	// Failed tells that a load has failed and left nothing, which those who waited
	// for it are told. Others may load.
	Failed bool `json:"failed"`
	// Left is the time to the end of any of them.
	Left Duration `json:"left_ms"`
}

// Writers are the calls of WriteThrough that keep up a barrier: while one does, a
// Get loads and does not store.
type Writers struct {
	// Count is how many there are. Beyond 64 they are not told apart.
	Count int `json:"count"`
	// Contended tells that none of their values will be stored, since there was
	// another one, or another write, or one that did not come to its end.
	Contended bool `json:"contended"`
	// Left is when the barrier ends, unless it is extended.
	Left Duration `json:"left_ms"`
}

// GenerationState compares the generation that an entry carries with Redis.
type GenerationState string

// The states of a Generation.
const (
	Current   GenerationState = "current"
	Overtaken GenerationState = "overtaken" // invalidated since the load began
	Missing   GenerationState = "missing"   // expired, evicted, or of another life of its node
	Ending    GenerationState = "ending"    // overtaken by ClearOver, but this key's moment is to come
	Barred    GenerationState = "barred"    // a CommitTags is under way
)

// Generation is what an entry's tag, or its namespace, stands at.
type Generation struct {
	Name  string          `json:"name"`
	State GenerationState `json:"state"`
	// At is when the generation was made that Redis has: the last invalidation,
	// or the first use. It is of the clock of the node that keeps it, and zero if
	// there is none. Age is by the clock of the entry's node.
	At  time.Time `json:"at,omitzero"`
	Age Duration  `json:"age_ms"`
	// By is the process that invalidated, "host/pid"; empty where the generation
	// was made at its first use, or at the first after it was lost.
	By string `json:"by,omitzero"`
	// Over is what ClearOver was told: entries of the generation before end one by
	// one within so much of At. 0 where they have ended at once.
	Over Duration `json:"over_ms,omitzero"`
	// Left is for how long the entry counts in the state Ending, and the barrier stands
	// in the state Barred, unless it is extended.
	Left Duration `json:"left_ms,omitzero"`
}

// Duration is a time.Duration that JSON gets in milliseconds.
type Duration struct{ time.Duration }

// MarshalJSON writes milliseconds, with a fraction if need be.
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d.Duration)/float64(time.Millisecond), 'f', -1, 64), nil
}

// millis is n milliseconds, or none if n is negative.
func millis(n int64) Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return Duration{time.Duration(min(max(n, 0), most)) * time.Millisecond}
}
