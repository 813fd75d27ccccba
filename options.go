package larder

import (
	"context"
	"log/slog"
	"time"

	"github.com/larder-go/larder/internal/naming"
	"github.com/larder-go/larder/observe"
)

// The defaults of Options.
const (
	DefaultL1MaxBytes     = 64 << 20
	DefaultMaxKeyBytes    = 1 << 10
	DefaultMaxValue       = 1 << 20
	DefaultJitter         = 0.1
	DefaultLoadTimeout    = 30 * time.Second
	DefaultLease          = 10 * time.Second
	DefaultCacheTimeout   = 250 * time.Millisecond
	DefaultRetryAfter     = time.Second
	DefaultStalenessBound = time.Second
)

// maxTTL keeps deadlines inside what Redis accepts; nothing is cached for ever.
const maxTTL = 10 * 365 * 24 * time.Hour

// Options say what a Cache holds and for how long. Namespace, TTL and, for Get,
// Load are required; the zero value of everything else is a sensible default.
type Options[K comparable, V any] struct {
	// Namespace is the first part of every Redis key, "namespace:key". One
	// namespace holds one type of value. 1 to 100 bytes, no ':', no white space
	// or control characters, not beginning with '~'.
	Namespace string

	// TTL is how long a value is fresh, from the moment it was stored.
	// Required, at least 1 ms and at most ten years.
	TTL time.Duration

	// Jitter shortens each TTL by a random share of up to this much, so that
	// entries stored together do not expire together. 0 means DefaultJitter
	// (0.1); negative means none; at most 0.9.
	Jitter float64

	// StaleFor is how long after its TTL a value may still be served: at once,
	// while one caller of the fleet loads a new one in the background, and when
	// that load fails (stale-while-revalidate and stale-if-error, RFC 5861).
	// An invalidated value is never served. 0 means not at all.
	StaleFor time.Duration

	// NegativeTTL is how long ErrNotFound is remembered. 0 means not at all.
	NegativeTTL time.Duration

	// Load gets the value of a key from its source. It returns ErrNotFound
	// (or an error that wraps it) where there is none. Where both Load and
	// LoadMany are nil, a Get that misses returns ErrNoLoader.
	Load func(ctx context.Context, key K) (V, error)

	// LoadMany gets several values at once, for GetMany and Warm; keys that are
	// missing in the map do not exist. Nil means Load for each key; Get uses it
	// where Load is nil.
	LoadMany func(ctx context.Context, keys []K) (map[K]V, error)

	// LoadItem is Load for loaders that know more than the value: how long it is
	// fresh, or a validator to ask by whether it has changed. It gets the old value
	// where Redis still has one (a stale one, see StaleFor, or one whose tags were
	// invalidated), else a zero Item, and may answer ErrNotModified, which keeps
	// the old value and makes it fresh. Load must be nil then. GetMany and Warm use
	// LoadMany where that is set, which knows neither.
	LoadItem func(ctx context.Context, key K, old Item[V]) (Item[V], error)

	// LoadTimeout bounds one load. A loader that ignores its context is
	// abandoned. 0 means DefaultLoadTimeout (30 s); negative is an error.
	LoadTimeout time.Duration

	// LoadSoftTimeout is how long a Get or GetMany waits for a load before it
	// returns ErrLoadTimeout; the load goes on, and its value is stored. 0 means
	// for as long as its context and LoadTimeout allow.
	LoadSoftTimeout time.Duration

	// RefreshAhead begins a load behind a value that is about to end its TTL, so
	// that nobody has to wait, or be served a stale value, when it has: at a random
	// moment, the earlier the longer the last load took (XFetch, Vattani et al.,
	// VLDB 2015). It is their beta: 1 is the optimum for most, more is earlier, up
	// to 100. 0 means not at all.
	RefreshAhead float64

	// Tags names the groups that the entry of a key belongs to, each of which
	// can be invalidated as a whole. A tag is shared by all namespaces on the
	// same Redis. 1 to 200 bytes each, at most 32 per entry. The function must
	// depend on nothing but the key.
	Tags func(key K) []string

	// TagsOf names further tags, which only the value knows. They are read after
	// the load, so a value one of whose tags was invalidated meanwhile, or is used
	// for the first time, is returned but not stored. At most 32 with those of Tags.
	TagsOf func(key K, value V) []string

	// Revision tells the source's version of a value, for example a row version or
	// a log position: nothing of a lower one replaces it, whichever replica a loader
	// read from. See also InvalidateBelow. Nil means that values are not compared;
	// they are not in a cache without Redis either, which has one source.
	Revision func(value V) uint64

	// Codec turns values into bytes and back. Nil means JSON.
	Codec Codec[V]

	// L1MaxBytes bounds the values held in the process, by the encoded size of
	// keys and values. 0 means DefaultL1MaxBytes (64 MiB); negative means no L1:
	// every Get asks Redis. Generations of tags are remembered all the same where
	// the server tracks, so that another process' InvalidateTags or Clear is
	// obeyed as soon as its push arrives. On a server without client tracking the
	// processes tell each other by publish/subscribe what has changed; with a
	// negative value nothing is remembered there.
	L1MaxBytes int64

	// L1TTL bounds the age of an L1 entry, as a backstop where a push got lost.
	// 0 means TTL and StaleFor. On a server without client tracking New refuses more
	// than StalenessBound, and 0 means that: messages between processes get lost
	// without a sign.
	L1TTL time.Duration

	// StalenessBound is for how long after the last sign of life of a tracking
	// connection what was read over it may be served from the process: a
	// connection can be dead without anybody noticing. It bounds how far L1, and
	// the tag generations known there, may be behind another process'
	// invalidation, which arrives within a millisecond otherwise. 0 means
	// DefaultStalenessBound (1 s); at least 10 ms; less than the connection's
	// heartbeat means that L1 is of no use. On a server without client tracking it
	// counts from the moment a value or a generation was asked for.
	StalenessBound time.Duration

	// Lenient says what happens while Redis does not answer. Without it each Get
	// loads, though several at a time share a load: strict. With it, a value that this
	// process loaded is served by it for up to StalenessBound from the start of its
	// load, which spares the source, and is not aware of what other processes
	// invalidate meanwhile.
	Lenient bool

	// MaxKeyBytes bounds an encoded key. A longer one is an error.
	// 0 means DefaultMaxKeyBytes (1 KiB); negative is an error.
	MaxKeyBytes int

	// MaxValueBytes bounds an encoded value. A larger one is returned to the
	// caller but not stored. 0 means DefaultMaxValue (1 MiB); negative is an error.
	MaxValueBytes int

	// Lease is how long a loader may keep others waiting without a sign of
	// life; it is renewed while the load runs. 0 means DefaultLease (10 s);
	// at least 100 ms.
	Lease time.Duration

	// CacheTimeout bounds what one call may spend on Redis before the loader is
	// asked instead. 0 means DefaultCacheTimeout (250 ms); negative is an error.
	CacheTimeout time.Duration

	// RetryAfter is how long a stale value is served without another try after
	// a failed background load. 0 means DefaultRetryAfter (1 s).
	RetryAfter time.Duration

	// Local says that there is no Redis: the Conn given to New is nil and the
	// values live in this process alone.
	Local bool

	// Observer is told what the cache does: see Metrics for what is counted, and
	// docs/telemetry.md. Reads from Redis, loads, fills and invalidations are
	// operations; a loader's context carries that of its load. Nil means that nobody
	// watches. A hit in L1 costs the same with and without.
	Observer observe.Observer

	// ProbeEvery turns the consistency probe on, which measures how often the cache
	// serves what its source no longer has: at most once in this time it notes the key
	// that a Get or GetMany was answered for, and compares, 1 s and 60 s later, what is
	// served then with what the loader says. A difference counts if it is still there
	// 2 s and StalenessBound later, so that a write whose invalidation is on its way is
	// none; it is logged, and Stats and Observer count it. It costs the source up to two
	// loads per comparison, of keys one after the other and never two at a time, with a
	// context that has no values. A value that is served past its TTL, or while
	// ClearOver is at work, counts as well. 0 means no probe; else at least 1 s, and one
	// of Load, LoadMany and LoadItem must be set.
	ProbeEvery time.Duration

	// Equal tells whether two values are the same to those who read them, for the
	// probe. Nil means that their encodings are compared.
	Equal func(a, b V) bool

	// Logger hears of what no caller is told: failed background loads, corrupt
	// entries. Nil means silence.
	Logger *slog.Logger
}

func (o Options[K, V]) withDefaults() Options[K, V] {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.LoadTimeout, DefaultLoadTimeout)
	def(&o.Lease, DefaultLease)
	def(&o.CacheTimeout, DefaultCacheTimeout)
	def(&o.RetryAfter, DefaultRetryAfter)
	def(&o.StalenessBound, DefaultStalenessBound)
	def(&o.L1TTL, o.TTL+max(o.StaleFor, 0))
	if o.Jitter == 0 {
		o.Jitter = DefaultJitter
	}
	if o.L1MaxBytes == 0 {
		o.L1MaxBytes = DefaultL1MaxBytes
	}
	if o.MaxKeyBytes == 0 {
		o.MaxKeyBytes = DefaultMaxKeyBytes
	}
	if o.MaxValueBytes == 0 {
		o.MaxValueBytes = DefaultMaxValue
	}
	if o.Codec == nil {
		o.Codec = JSON[V]()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options[K, V]) validate() error {
	if !naming.IsNamespace(o.Namespace) {
		return optionError("Namespace", o.Namespace, naming.NamespaceAllowed)
	}
	for _, d := range []struct {
		field    string
		v        time.Duration
		min, max time.Duration
		allowed  string
	}{
		{"TTL", o.TTL, time.Millisecond, maxTTL, "1ms to ten years"},
		{"StaleFor", o.StaleFor, 0, maxTTL, "0 (not at all) to ten years"},
		{"NegativeTTL", o.NegativeTTL, 0, maxTTL, "0 (not at all) to ten years"},
		{"L1TTL", o.L1TTL, time.Millisecond, 2 * maxTTL, "at least 1ms, or 0 for TTL"},
		{"LoadTimeout", o.LoadTimeout, time.Millisecond, maxTTL, "at least 1ms, or 0 for 30s"},
		{"LoadSoftTimeout", o.LoadSoftTimeout, 0, maxTTL, "0 (none), or positive"},
		{"Lease", o.Lease, 100 * time.Millisecond, time.Hour, "100ms to 1h, or 0 for 10s"},
		{"CacheTimeout", o.CacheTimeout, time.Millisecond, time.Hour, "1ms to 1h, or 0 for 250ms"},
		{"StalenessBound", o.StalenessBound, 10 * time.Millisecond, time.Hour, "10ms to 1h, or 0 for 1s"},
		{"RetryAfter", o.RetryAfter, time.Millisecond, time.Hour, "1ms to 1h, or 0 for 1s"},
	} {
		if d.v < d.min || d.v > d.max {
			return optionError(d.field, d.v, d.allowed)
		}
	}
	if o.NegativeTTL > 0 && o.NegativeTTL < time.Millisecond {
		return optionError("NegativeTTL", o.NegativeTTL, "0 (not at all), or at least 1ms")
	}
	switch {
	case o.ProbeEvery < 0 || o.ProbeEvery > 0 && o.ProbeEvery < minProbeEvery:
		return optionError("ProbeEvery", o.ProbeEvery, "0 (no probe), or at least 1s")
	case o.ProbeEvery > 0 && o.Load == nil && o.LoadMany == nil && o.LoadItem == nil:
		return optionError("ProbeEvery", o.ProbeEvery, "0 (no probe) where there is no Load, LoadMany or LoadItem to compare with")
	case o.Load != nil && o.LoadItem != nil:
		return optionError("LoadItem", "set", "nil where Load is set: it takes its place")
	case !(o.RefreshAhead >= 0 && o.RefreshAhead <= 100):
		return optionError("RefreshAhead", o.RefreshAhead, "0 (not at all) to 100; 1 suits most")
	case o.Jitter > 0.9 || o.Jitter != o.Jitter:
		return optionError("Jitter", o.Jitter, "up to 0.9; negative for none")
	case o.MaxKeyBytes < 0 || o.MaxKeyBytes > 64<<10:
		return optionError("MaxKeyBytes", o.MaxKeyBytes, "1 to 65536, or 0 for 1024")
	case o.MaxValueBytes < 0 || o.MaxValueBytes > 512<<20:
		return optionError("MaxValueBytes", o.MaxValueBytes, "1 to 512 MiB, or 0 for 1 MiB")
	case o.Local && o.L1MaxBytes < 0:
		return optionError("L1MaxBytes", o.L1MaxBytes, "positive where Local is set: nothing else would hold a value")
	}
	return nil
}
