package observe

import "time"

// Kind is what sort of feature a subject is.
type Kind string

// The kinds.
const (
	Cache   Kind = "cache"   // larder.Cache; its name is the namespace
	Limiter Kind = "limiter" // ratelimit; its name is the prefix
	Session Kind = "session" // session.Store; its name is the namespace
	Topic   Kind = "topic"   // event; its name is the topic
	SQL     Kind = "sql"     // sqlcache; its name is the namespace
	Gateway Kind = "gateway" // gateway; its name is its address, or "gateway"
	Redis   Kind = "redis"   // a connection; its name is the node's address
	Keys    Kind = "keys"    // keys that a program keeps by itself; their prefix without its colon
)

// Subject describes a feature by what its options say, so that a document made of
// it cannot drift away from the code. Features return theirs from a method
// Describe, which does no I/O.
type Subject struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// Prefixes are what the Redis keys that the feature owns begin with ("user:"), Keys
	// those that are known in full, such as the stream of a topic. Both are empty where
	// the feature keeps nothing. Pattern is what a key looks like, for a reader
	// ("user:<int64>").
	Prefixes []string `json:"prefixes,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	// Type is Redis' type of the values, and what is in them: "string", "hash",
	// "stream", "sorted set"; Value is the Go type, without its package's path.
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
	// TTL is the life of a key, 0 where the feature has no single one and Policy says
	// what holds.
	TTL time.Duration `json:"ttl,omitempty"`
	// Stale is for how long after its TTL a value may be served; Bound is how far the
	// copies in other processes may be behind an invalidation.
	Stale time.Duration `json:"stale,omitempty"`
	Bound time.Duration `json:"bound,omitempty"`
	// Tags says whether entries carry tags: "by key", "by value", "by table".
	Tags string `json:"tags,omitempty"`
	// Policy is the rest in a few words: "sliding window, 10 in 10s", "refresh ahead,
	// beta 1", "at most 10,000 events".
	Policy string `json:"policy,omitempty"`
}

// Describe returns the Subject itself, so that one that was made by hand goes wherever
// a feature does.
func (s Subject) Describe() Subject { return s }
