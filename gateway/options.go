package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/larder-go/larder/observe"
)

// Defaults of Options.
const (
	DefaultMaxRequest  = 10 << 20
	DefaultMaxPipeline = 100_000
	DefaultMaxKey      = 32 << 10
	DefaultTimeout     = 10 * time.Second
	DefaultBodyTimeout = 30 * time.Second
	DefaultHeartbeat   = 15 * time.Second
	DefaultMaxStreams  = 10_000
	DefaultMaxTopics   = 1_000
	DefaultMaxLag      = 1 << 20
)

// Options are the settings of New. Only Token has to be set.
type Options struct {
	// Token is what clients with all rights present. It must not be empty.
	Token string

	// ReadOnlyToken is what clients present that may only read. Empty means
	// that there are none. It must not be the same as Token.
	ReadOnlyToken string

	// MaxRequest bounds a request's body and the result of one command, in
	// bytes. 0 means DefaultMaxRequest; negative is an error.
	MaxRequest int

	// MaxPipeline bounds the number of commands in one pipeline or transaction.
	// 0 means DefaultMaxPipeline; negative is an error.
	MaxPipeline int

	// MaxKey bounds a key, in bytes. 0 means DefaultMaxKey; negative is an error.
	MaxKey int

	// Timeout bounds the wait for Redis in one request; it may be up to a quarter
	// shorter. 0 means DefaultTimeout; negative is an error.
	Timeout time.Duration

	// BodyTimeout is how long a client may take to send a request's body, and to
	// take a part of a stream off our hands; for a response it is twice as long.
	// 0 means DefaultBodyTimeout; negative is an error.
	BodyTimeout time.Duration

	// Heartbeat is the silence after which a stream is sent a comment. 0 means
	// DefaultHeartbeat; negative is an error.
	Heartbeat time.Duration

	// MaxStreams bounds the streams that are open at a time. 0 means
	// DefaultMaxStreams; negative is an error.
	MaxStreams int

	// MaxTopics bounds the channels and patterns that are listened to at a time;
	// each takes a connection to Redis. 0 means DefaultMaxTopics; negative is an
	// error.
	MaxTopics int

	// MaxLag bounds what waits for one slow reader of a stream, in bytes; beyond
	// it the stream is cut off. 0 means DefaultMaxLag; negative is an error.
	MaxLag int

	// Observer is told of requests and commands: see Metrics and docs/telemetry.md. It
	// hears neither paths nor tokens. Nil means that nobody watches.
	Observer observe.Observer

	// Logger is told about streams that are cut off and subscriptions that are
	// lost (Warn). Nil means silence.
	Logger *slog.Logger

	// AccessLog is told about every request (Info): endpoint, number of commands,
	// status, sizes, time; neither path nor token nor value. Nil means silence.
	AccessLog *slog.Logger
}

// withDefaults returns a checked copy with all zero values replaced.
func (o Options) withDefaults() (Options, error) {
	switch o.Token {
	case "":
		return o, errors.New("gateway: Options.Token is empty; it must be set, as anybody could use the server otherwise")
	case o.ReadOnlyToken:
		return o, errors.New("gateway: Options.ReadOnlyToken is the same as Token; it must be another one, or empty for none")
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxRequest", &o.MaxRequest, DefaultMaxRequest},
		{"MaxPipeline", &o.MaxPipeline, DefaultMaxPipeline},
		{"MaxKey", &o.MaxKey, DefaultMaxKey},
		{"MaxStreams", &o.MaxStreams, DefaultMaxStreams},
		{"MaxTopics", &o.MaxTopics, DefaultMaxTopics},
		{"MaxLag", &o.MaxLag, DefaultMaxLag},
	} {
		if *n.value < 0 {
			return o, fmt.Errorf("gateway: Options.%s is %d; it must be positive, or 0 for %d", n.name, *n.value, n.def)
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Timeout", &o.Timeout, DefaultTimeout},
		{"BodyTimeout", &o.BodyTimeout, DefaultBodyTimeout},
		{"Heartbeat", &o.Heartbeat, DefaultHeartbeat},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("gateway: Options.%s is %v; it must be positive, or 0 for %v", d.name, *d.value, d.def)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.AccessLog == nil {
		o.AccessLog = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
