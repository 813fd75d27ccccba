package session

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/naming"
	"github.com/larder-go/larder/internal/sealing"
	"github.com/larder-go/larder/observe"
)

// Defaults of Options.
const (
	DefaultNamespace  = "session"
	DefaultLifetime   = 7 * 24 * time.Hour
	DefaultMaxPerUser = 100
	DefaultMaxBytes   = 64 << 10
	DefaultMaxStale   = 10_000
)

const (
	// MaxLifetime is the longest Options.Lifetime: browsers forget cookies then.
	MaxLifetime = 400 * 24 * time.Hour
	// MaxUserBytes bounds a user's name.
	MaxUserBytes = 256

	maxPerUser = 10_000
	maxBytes   = 16 << 20
)

// Options are the settings of New. The zero value is valid. All processes that
// share sessions use the same.
type Options struct {
	// Namespace begins every Redis key. Empty means DefaultNamespace ("session").
	// 1 to 100 bytes, no ':', '{', '}', white space or control characters, not
	// beginning with '~', and not the namespace of a cache on the same Redis.
	Namespace string

	// Lifetime is how long a session lives at most, whatever it is used for: then
	// the user has to log in again. 0 means DefaultLifetime (7 days); at least
	// 1 ms, at most MaxLifetime; negative is an error.
	Lifetime time.Duration

	// IdleTimeout ends a session that was neither touched nor updated for as long.
	// Get alone does not count; the Middleware touches. 0 means no such end; at
	// least 1 ms and at most Lifetime; negative is an error.
	IdleTimeout time.Duration

	// MaxPerUser is how many sessions a user may have. Beyond it, those go first
	// that would end first. 0 means DefaultMaxPerUser (100); at most 10,000;
	// negative is an error. Sessions without a user are not counted.
	MaxPerUser int

	// MaxBytes bounds the data of one session, encoded. 0 means DefaultMaxBytes
	// (64 KiB); at most 16 MiB; negative is an error.
	MaxBytes int

	// Keys encrypt the data of sessions with AES-256-GCM: the first one encrypts,
	// all of them decrypt. To rotate, add the new key behind the old one in every
	// process, then put it first, and remove the old one after Lifetime. None
	// means that data is stored in clear.
	Keys []Key

	// ServeStale is for how long after this process has last read a session from
	// Redis Get may return it from memory while Redis does not answer, marked as
	// Stale. A session that was destroyed or changed elsewhere meanwhile is served
	// for as long. 0 means not at all: Get then fails with ErrUnavailable. At most
	// Lifetime; negative is an error.
	ServeStale time.Duration

	// MaxStale is how many sessions are remembered for ServeStale; those go first
	// that were not read for longest. 0 means DefaultMaxStale (10,000); negative
	// is an error. One takes up to MaxBytes.
	MaxStale int

	// Observer is told what becomes of sessions, and how long Redis takes: see Metrics
	// and docs/telemetry.md. It hears neither ids nor users. Nil means that nobody
	// watches.
	Observer observe.Observer
}

func (o Options) withDefaults() Options {
	if o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	for value, def := range map[*int]int{
		&o.MaxPerUser: DefaultMaxPerUser, &o.MaxBytes: DefaultMaxBytes, &o.MaxStale: DefaultMaxStale,
	} {
		if *value == 0 {
			*value = def
		}
	}
	if o.Lifetime == 0 {
		o.Lifetime = DefaultLifetime
	}
	o.Keys = slices.Clone(o.Keys)
	return o
}

func (o Options) validate() error {
	within := func(d, limit time.Duration) bool { return d >= time.Millisecond && d <= limit }
	switch {
	case !naming.IsNamespace(o.Namespace) || strings.ContainsAny(o.Namespace, "{}"):
		return optionError("Options.Namespace", o.Namespace, naming.NamespaceAllowed+", no '{' and '}'")
	case !within(o.Lifetime, MaxLifetime):
		return optionError("Options.Lifetime", o.Lifetime, fmt.Sprintf("1ms to %v, or 0 for %v", MaxLifetime, DefaultLifetime))
	case o.IdleTimeout != 0 && !within(o.IdleTimeout, o.Lifetime):
		return optionError("Options.IdleTimeout", o.IdleTimeout, fmt.Sprintf("1ms to Lifetime (%v), or 0 for none", o.Lifetime))
	case o.MaxPerUser < 0 || o.MaxPerUser > maxPerUser:
		return optionError("Options.MaxPerUser", o.MaxPerUser, fmt.Sprintf("1 to %d, or 0 for %d", maxPerUser, DefaultMaxPerUser))
	case o.MaxBytes < 0 || o.MaxBytes > maxBytes:
		return optionError("Options.MaxBytes", o.MaxBytes, fmt.Sprintf("1 to %d, or 0 for %d", maxBytes, DefaultMaxBytes))
	case o.ServeStale < 0 || o.ServeStale > o.Lifetime:
		return optionError("Options.ServeStale", o.ServeStale, fmt.Sprintf("up to Lifetime (%v), or 0 for none", o.Lifetime))
	case o.MaxStale < 0:
		return optionError("Options.MaxStale", o.MaxStale, fmt.Sprintf("a positive number, or 0 for %d", DefaultMaxStale))
	}
	for i, k := range o.Keys {
		field := fmt.Sprintf("Options.Keys[%d]", i)
		if k.key == nil {
			return optionError(field, "the zero value", "a key made by NewKey")
		}
		if slices.ContainsFunc(o.Keys[:i], func(other Key) bool { return other.key.ID() == k.key.ID() }) {
			return optionError(field, k, "an ID that no key before it has")
		}
	}
	return nil
}

// Key encrypts sessions; it is made by NewKey and printed as its ID.
type Key struct{ key *sealing.Key }

// NewKey makes a key of an ID, which is stored in clear with every session that it
// encrypts (1 to 16 characters of printable ASCII without spaces, such as
// "2026-10"), and a secret of 32 random bytes, which it copies. An error prints
// neither: a secret may have been given as the ID by mistake.
func NewKey(id string, secret []byte) (Key, error) {
	switch {
	case id == "" || len(id) > sealing.MaxIDBytes:
		return Key{}, optionError("the length of a key's ID", len(id), fmt.Sprintf("1 to %d bytes", sealing.MaxIDBytes))
	case strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return Key{}, optionError("a key's ID", "something else", "printable ASCII without spaces")
	case len(secret) != sealing.KeyBytes:
		return Key{}, optionError("the length of a key's secret", len(secret),
			fmt.Sprintf("%d bytes, decoded from hexadecimal or base64", sealing.KeyBytes))
	case slices.Max(secret) == slices.Min(secret):
		return Key{}, optionError("a key's secret", "one byte repeated", "random bytes")
	}
	key, err := sealing.NewKey(id, secret)
	return Key{key}, err
}

// String returns the ID.
func (k Key) String() string {
	if k.key == nil {
		return ""
	}
	return k.key.ID()
}

// checkUser checks a user's name; empty stands for an anonymous session.
func checkUser(user string) error {
	if len(user) > MaxUserBytes || !utf8.ValidString(user) {
		return optionError("the user", fmt.Sprintf("of %d bytes", len(user)), fmt.Sprintf("up to %d bytes of UTF-8", MaxUserBytes))
	}
	return nil
}
