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
	Placeholder Kind = "placeholder" // a lease and no value
)

// Entry is what an entry says about itself. All ages and remaining times are by
// the clock of the server.
type Entry struct {
	Kind         Kind  `json:"kind"`
	PayloadBytes int64 `json:"payload_bytes"`
	// Of a placeholder, the times are zero.
	LoadedAt time.Time `json:"loaded_at,omitzero"`
	Age      Duration  `json:"age_ms"`
	// FreshFor and ServedFor are what is left of the two lives, 0 for none.
	FreshFor  Duration `json:"fresh_for_ms"`
	ServedFor Duration `json:"served_for_ms"`
	// ExpiredFor is the time since both have ended.
	ExpiredFor Duration `json:"expired_for_ms"`
	LoadCost   Duration `json:"load_cost_ms"`

	// ID, Schema and Incarnation are hexadecimal.
	ID     string `json:"id"`
	Schema string `json:"schema"`
	// Incarnation names the life of the node in which the entry was stored, and
	// Life compares it with the present one.
	Incarnation string `json:"incarnation"`
	Life        Life   `json:"life"`

	Lease      Lease        `json:"lease"`
	Generation *Generation  `json:"generation,omitzero"` // of the namespace; nil for a placeholder
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
	// Paused tells that no load may begin yet because the last one failed.
	Paused bool `json:"paused"`
	// Left is the time to the end of either.
	Left Duration `json:"left_ms"`
}

// GenerationState compares the generation that an entry carries with Redis.
type GenerationState string

// The states of a Generation.
const (
	Current   GenerationState = "current"
	Overtaken GenerationState = "overtaken" // invalidated since the load began
	Missing   GenerationState = "missing"   // expired, evicted, or of another life of its node
)

// Generation is what an entry's tag, or its namespace, stands at.
type Generation struct {
	Name  string          `json:"name"`
	State GenerationState `json:"state"`
	// At is when the generation was made that Redis has: the last invalidation,
	// or the first use. It is of the clock of the process that made it, and
	// zero if there is none.
	At  time.Time `json:"at,omitzero"`
	Age Duration  `json:"age_ms"`
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
