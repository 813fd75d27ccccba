package dashboard

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/larder-go/larder/conn"
)

// Defaults of Options.
const (
	DefaultRefresh     = 2 * time.Second
	DefaultTimeout     = time.Second
	DefaultSessionLife = 12 * time.Hour
	DefaultMaxSessions = 100
	DefaultMaxViewers  = 50
)

const (
	maxSessionLife = 30 * 24 * time.Hour
	maxSessions    = 10_000
	maxViewers     = 10_000
	maxTopics      = 20
	maxNameBytes   = 512
)

// Options are the settings of New. Either Token or Authenticate has to be set.
type Options struct {
	// Token is what people log in with. Empty means that Authenticate decides.
	Token string

	// Authenticate tells whether a request may come in, for a service that knows its
	// users already. It is asked for each request, and must be nil where Token is set.
	// The dashboard then has no log-in of its own.
	Authenticate func(*http.Request) bool

	// Figures is where the records of telemetry are read from, where that is not the
	// Redis that is looked at. Nil means that it is.
	Figures conn.Pipeliner

	// ReadOnly leaves out everything that changes something: invalidation.
	ReadOnly bool

	// ShowValues lets the page of a key show the cached value, as its codec wrote it.
	// The default is not to: values may be personal data.
	ShowValues bool

	// Topics are publish/subscribe channels and durable topics whose messages appear
	// among the live events: when, and how long, and with ShowValues the text. At most
	// 20 names of up to 512 bytes.
	Topics []string

	// Withhold are prefixes of Redis keys that are counted and neither listed nor
	// looked at, beside those of sessions and rate limits, whose keys may say who
	// somebody is. Nil means DefaultWithhold; an empty slice, none.
	Withhold []string

	// Refresh is how often a page that is open gets new figures. 0 means
	// DefaultRefresh (2 s); 100 ms to 1 minute; negative is an error.
	Refresh time.Duration

	// Timeout is how long a page waits for Redis before it shows what is known. 0
	// means DefaultTimeout (1 s); 10 ms to 1 minute; negative is an error.
	Timeout time.Duration

	// SessionLife is when somebody has to log in again. 0 means DefaultSessionLife
	// (12 h); 1 minute to 30 days; negative is an error.
	SessionLife time.Duration

	// MaxSessions bounds who is logged in at a time; beyond it the oldest log-in ends.
	// 0 means DefaultMaxSessions (100); at most 10,000; negative is an error.
	MaxSessions int

	// MaxViewers bounds the pages that are kept up to date at a time; others show
	// figures when they are loaded. 0 means DefaultMaxViewers (50); at most 10,000;
	// negative is an error.
	MaxViewers int

	// SecureCookie says that browsers reach the dashboard by HTTPS, through a proxy
	// that ends it. It need not be set where the server itself does.
	SecureCookie bool

	// Logger hears of log-ins, refused log-ins and invalidations. Nil means silence.
	Logger *slog.Logger
}

// DefaultWithhold are the prefixes under which other programs keep sessions, whose
// keys let their holder in.
func DefaultWithhold() []string {
	return []string{"session:", "sessions:", "sess:", "scs:", "connect.sid:", "token:", "user:session:"}
}

// withDefaults returns a checked copy with all zero values replaced.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Token == "" && o.Authenticate == nil:
		return o, optionError("Options.Token", `""`, "a token, or Options.Authenticate: anybody could look in otherwise")
	case o.Token != "" && o.Authenticate != nil:
		return o, optionError("Options.Authenticate", "set", "nil where Options.Token is set: one of them decides")
	case len(o.Topics) > maxTopics:
		return o, optionError("the number of Options.Topics", len(o.Topics), "at most 20")
	}
	for _, name := range o.Topics {
		if name == "" || len(name) > maxNameBytes {
			return o, optionError("the length of one of Options.Topics", len(name), "1 to 512 bytes")
		}
	}
	for _, d := range []struct {
		name               string
		value              *time.Duration
		least, most, usual time.Duration
	}{
		{"Refresh", &o.Refresh, 100 * time.Millisecond, time.Minute, DefaultRefresh},
		{"Timeout", &o.Timeout, 10 * time.Millisecond, time.Minute, DefaultTimeout},
		{"SessionLife", &o.SessionLife, time.Minute, maxSessionLife, DefaultSessionLife},
	} {
		if *d.value == 0 {
			*d.value = d.usual
		}
		if *d.value < d.least || *d.value > d.most {
			return o, optionError("Options."+d.name, *d.value, fmt.Sprintf("%v to %v, or 0 for %v", d.least, d.most, d.usual))
		}
	}
	for _, n := range []struct {
		name        string
		value       *int
		most, usual int
	}{
		{"MaxSessions", &o.MaxSessions, maxSessions, DefaultMaxSessions},
		{"MaxViewers", &o.MaxViewers, maxViewers, DefaultMaxViewers},
	} {
		if *n.value == 0 {
			*n.value = n.usual
		}
		if *n.value < 1 || *n.value > n.most {
			return o, optionError("Options."+n.name, *n.value, fmt.Sprintf("1 to %d, or 0 for %d", n.most, n.usual))
		}
	}
	if o.Withhold == nil {
		o.Withhold = DefaultWithhold()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
