package event

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/observe"
)

// Defaults of Options.
const (
	DefaultBuffer         = 256
	DefaultMaxBytes       = 64 << 10
	DefaultMaxLen         = 10_000
	DefaultRetention      = 24 * time.Hour
	DefaultOnceWindow     = 10 * time.Minute
	DefaultPoll           = 5 * time.Second
	DefaultConnectTimeout = 5 * time.Second
)

const (
	maxNameBytes = 512
	maxBuffer    = 1 << 20
	maxBytes     = 16 << 20
	maxLen       = 10_000_000
	maxRetention = 10 * 365 * 24 * time.Hour
)

// Overflow is what happens when the buffer of a subscriber is full.
type Overflow int

const (
	// Block keeps the message until there is room. Where the topic is not durable
	// all subscribers of the process wait meanwhile, and if that takes too long the
	// server cuts the connection, which all are told of. Where it is durable nobody
	// waits: the subscriber reads from the stream by itself until it has caught up.
	Block Overflow = 1 + iota
	// DropOldest makes room.
	DropOldest
	// DropNewest drops the message.
	DropNewest
)

// String names the policy.
func (o Overflow) String() string {
	switch o {
	case Block:
		return "Block"
	case DropOldest:
		return "DropOldest"
	case DropNewest:
		return "DropNewest"
	}
	return fmt.Sprintf("Overflow(%d)", int(o))
}

// Options are the settings of NewTopic. The zero value is valid. Publishers and
// subscribers of one name use the same Durable, Unsharded and MaxBytes.
type Options struct {
	// Durable keeps messages in a stream, whose key is the topic's name.
	Durable bool

	// Pattern makes the topic's name a glob: subscribers get the messages of all
	// channels that match. It cannot be published to and is not durable. In a
	// cluster it matches topics that are Unsharded only.
	Pattern bool

	// Unsharded uses PUBLISH and SUBSCRIBE in a cluster too, which each node hears,
	// instead of SPUBLISH and SSUBSCRIBE: for patterns, and for other programs that
	// use these commands. It has no effect on a single server.
	Unsharded bool

	// Buffer is how many messages may wait for one subscriber. 0 means
	// DefaultBuffer (256); at most 2^20; negative is an error.
	Buffer int

	// Overflow is what happens when the buffer is full. 0 means DropOldest, or
	// Block where the topic is Durable, which therefore misses nothing.
	Overflow Overflow

	// MaxBytes bounds one message, encoded. 0 means DefaultMaxBytes (64 KiB); at
	// most 16 MiB; negative is an error. What is received may be larger.
	MaxBytes int

	// MaxLen is how many messages the stream of a durable topic keeps; older ones
	// go. 0 means DefaultMaxLen (10,000); at most 10,000,000; negative is an error.
	MaxLen int

	// Retention is how long the stream of a durable topic is kept after the last
	// message. 0 means DefaultRetention (24 h); at least 1 s, at most ten years;
	// negative is an error.
	Retention time.Duration

	// OnceWindow is for how long an idempotency key is remembered: see Once. 0
	// means DefaultOnceWindow (10 minutes); at least 1 ms, at most ten years;
	// negative is an error.
	OnceWindow time.Duration

	// Poll is how often the stream of a durable topic is read without having been
	// announced, in case a publisher died between the two. 0 means DefaultPoll
	// (5 s); at least 10 ms; negative is an error.
	Poll time.Duration

	// ConnectTimeout is how long Subscribe waits for the server to confirm. 0
	// means DefaultConnectTimeout (5 s); negative is an error.
	ConnectTimeout time.Duration

	// Observer is told of messages, and how long Publish takes: see Metrics and
	// docs/telemetry.md. Nil means that nobody watches.
	Observer observe.Observer

	// Logger hears of lost subscriptions (Warn). Nil means silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	for value, def := range map[*int]int{&o.Buffer: DefaultBuffer, &o.MaxBytes: DefaultMaxBytes, &o.MaxLen: DefaultMaxLen} {
		if *value == 0 {
			*value = def
		}
	}
	for value, def := range map[*time.Duration]time.Duration{
		&o.Retention: DefaultRetention, &o.OnceWindow: DefaultOnceWindow, &o.Poll: DefaultPoll, &o.ConnectTimeout: DefaultConnectTimeout,
	} {
		if *value == 0 {
			*value = def
		}
	}
	if o.Overflow == 0 {
		o.Overflow = DropOldest
		if o.Durable {
			o.Overflow = Block
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	for _, n := range []struct {
		name            string
		value, max, def int
	}{
		{"Buffer", o.Buffer, maxBuffer, DefaultBuffer},
		{"MaxBytes", o.MaxBytes, maxBytes, DefaultMaxBytes},
		{"MaxLen", o.MaxLen, maxLen, DefaultMaxLen},
	} {
		if n.value < 1 || n.value > n.max {
			return optionError("Options."+n.name, n.value, fmt.Sprintf("1 to %d, or 0 for %d", n.max, n.def))
		}
	}
	for _, d := range []struct {
		name            string
		value, min, def time.Duration
	}{
		{"Retention", o.Retention, time.Second, DefaultRetention},
		{"OnceWindow", o.OnceWindow, time.Millisecond, DefaultOnceWindow},
		{"Poll", o.Poll, 10 * time.Millisecond, DefaultPoll},
		{"ConnectTimeout", o.ConnectTimeout, time.Millisecond, DefaultConnectTimeout},
	} {
		if d.value < d.min || d.value > maxRetention {
			return optionError("Options."+d.name, d.value, fmt.Sprintf("%v to ten years, or 0 for %v", d.min, d.def))
		}
	}
	switch {
	case o.Overflow < Block || o.Overflow > DropNewest:
		return optionError("Options.Overflow", o.Overflow, "Block, DropOldest or DropNewest, or 0")
	case o.Pattern && o.Durable:
		return optionError("Options.Pattern", true, "false with Durable")
	}
	return nil
}

// checkName checks the name of a topic.
func checkName(name string, o Options) error {
	switch {
	case name == "" || len(name) > maxNameBytes:
		return optionError("the length of the topic's name", len(name), fmt.Sprintf("1 to %d bytes", maxNameBytes))
	case !utf8.ValidString(name):
		return optionError("the topic's name", "something else", "UTF-8")
	case o.Durable && slotTag(name) == "":
		return optionError("the topic's name", "one with braces that are no hash tag", "braces around a part that is not empty, or none")
	}
	return nil
}

// slotTag is what a key has to have between braces to lie in the slot of name; ""
// if there is no such thing.
func slotTag(name string) string {
	if _, rest, ok := strings.Cut(name, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			return tag
		}
	}
	if strings.Contains(name, "}") {
		return ""
	}
	return name
}
