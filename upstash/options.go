package upstash

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultHeartbeat   = 5 * time.Second
	DefaultRetries     = 2
	DefaultMaxRequest  = 10 << 20
	DefaultMaxResponse = 64 << 20
)

// Limits of Options and of requests.
const (
	// MaxBatch is how many commands of a Pipeline are sent in one request.
	MaxBatch = 1000
	// MaxRetries is the largest Options.Retries.
	MaxRetries = 10
)

// Options are the settings of Open. The zero value is valid.
type Options struct {
	// Transport, if set, sends the requests. Nil means one of the Conn's own: TLS
	// 1.2 or newer, HTTP/2 where the server has it, the proxy of the environment.
	Transport http.RoundTripper

	// Timeout bounds one request, its repetitions, and the confirmation of a
	// subscription, where the context does not end sooner. 0 means
	// DefaultTimeout; negative is an error.
	Timeout time.Duration

	// Heartbeat is the interval at which the server is asked whether it is still
	// the one that it was; each time costs two commands. 0 means
	// DefaultHeartbeat. Negative means that it is asked once, by Open: a restart
	// is then never noticed.
	Heartbeat time.Duration

	// Retries is how often a request that only reads is sent again after a
	// failure on the way. 0 means DefaultRetries, negative none; more than
	// MaxRetries is an error.
	Retries int

	// MaxRequest bounds the body of a request, in bytes; a command that is larger
	// is refused. 0 means DefaultMaxRequest; negative is an error.
	MaxRequest int

	// MaxResponse bounds the body of a response and one event of a stream, in
	// bytes. 0 means DefaultMaxResponse; negative is an error.
	MaxResponse int

	// Logger is told when the server's life changes or ceases to be known (Warn).
	// Nil means silence.
	Logger *slog.Logger
}

// withDefaults returns a checked copy with all zero values replaced.
func (o Options) withDefaults() (Options, error) {
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxRequest", &o.MaxRequest, DefaultMaxRequest},
		{"MaxResponse", &o.MaxResponse, DefaultMaxResponse},
	} {
		if *n.value < 0 {
			return o, fmt.Errorf("upstash: Options.%s is %d; it must be positive, or 0 for %d", n.name, *n.value, n.def)
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	if o.Timeout < 0 {
		return o, fmt.Errorf("upstash: Options.Timeout is %v; it must be positive, or 0 for %v", o.Timeout, DefaultTimeout)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = DefaultHeartbeat
	}
	if o.Retries > MaxRetries {
		return o, fmt.Errorf("upstash: Options.Retries is %d; it must be 1 to %d, 0 for %d, or negative for none", o.Retries, MaxRetries, DefaultRetries)
	}
	switch {
	case o.Retries == 0:
		o.Retries = DefaultRetries
	case o.Retries < 0:
		o.Retries = 0
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
