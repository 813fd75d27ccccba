package redisconn

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"time"

	"github.com/larder-go/larder/observe"
)

// Defaults of Options.
const (
	DefaultDialTimeout      = 5 * time.Second
	DefaultKeepAlive        = time.Second
	DefaultKeepAliveTimeout = 10 * time.Second
	DefaultSilenceTimeout   = 150 * time.Millisecond
	DefaultCutTimeout       = time.Second
	DefaultHeartbeat        = 250 * time.Millisecond
)

// MaxReadWires is the largest Options.ReadWires.
const MaxReadWires = 64

// Options are the settings of Open. The zero value is valid.
type Options struct {
	// TLS configures rediss schemes and is an error with others. Nil means the
	// system's roots and TLS 1.2 or newer. An empty ServerName means the host
	// that is dialled.
	TLS *tls.Config

	// Credentials, if set, is called for every new connection to a server and
	// returns what to log in with, so that passwords can rotate. An error from it
	// fails the connection. It is an error to have credentials in the URL as well.
	// Its context ends after DialTimeout and when the Conn is closed.
	Credentials func(ctx context.Context) (username, password string, err error)

	// SentinelCredentials is the same for connections to sentinels. Nil means
	// that sentinels want no password; the URL's user is for the servers.
	SentinelCredentials func(ctx context.Context) (username, password string, err error)

	// Dial, if set, opens connections instead of a net.Dialer: network is "tcp"
	// or "unix". TLS is added on top of what it returns.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// DialTimeout bounds dialling, the TLS handshake, and separately the login.
	// 0 means DefaultDialTimeout; negative is an error.
	DialTimeout time.Duration

	// KeepAlive is the silence after which a connection is sent a PING, and the
	// interval of TCP keep-alive probes. 0 means DefaultKeepAlive; negative is an
	// error.
	KeepAlive time.Duration

	// KeepAliveTimeout is how long that PING may stay unanswered before the
	// connection is given up. It counts for subscriptions and blocking commands;
	// shared connections are watched more closely, see CutTimeout. 0 means
	// DefaultKeepAliveTimeout; negative is an error.
	KeepAliveTimeout time.Duration

	// SilenceTimeout is how long a shared connection may owe an answer without a
	// byte coming back before further calls fail at once; they pass again with
	// the next byte. A script that blocks the server for as long has the same
	// effect. Half of the shortest deadline that callers set is right: those who
	// were first then do not give up before the silence is noticed, which takes
	// up to a third longer, and pay for it once. 0 means DefaultSilenceTimeout;
	// negative is an error.
	SilenceTimeout time.Duration

	// CutTimeout is the silence after which a shared connection is cut, so that
	// all who wait on it fail, and a new one is made in the background. It bounds
	// the login of new connections too. It must not be less than SilenceTimeout.
	// 0 means DefaultCutTimeout, or SilenceTimeout if that is longer; negative is
	// an error.
	CutTimeout time.Duration

	// Heartbeat is the interval at which every shared connection is asked (INFO,
	// in a cluster CLUSTER SLOTS too) whether the server is still the master that
	// it was: see conn.Epoch.Heard and conn.Conn.Incarnation. 0 means
	// DefaultHeartbeat; negative is an error.
	Heartbeat time.Duration

	// ReadWires is the number of tracking connections per node. More of them
	// lose less of the local cache when one is cut; fewer put more commands into
	// each system call, which counts for more: at 64 goroutines on two cores one
	// connection answers twice as many GETs as four. 0 means one with up to four
	// processors (GOMAXPROCS) and two with more; more than MaxReadWires and
	// negative are errors.
	ReadWires int

	// ClientName is shown by CLIENT LIST: printable ASCII without spaces. Empty
	// means no name.
	ClientName string

	// Observer is told of every command, script and pipeline, and of the connections
	// to each node: see Metrics and docs/telemetry.md. Blocking commands and
	// subscriptions, which have connections of their own, are not among them. Nil means
	// that nobody watches.
	Observer observe.Observer

	// Logger is told about lost tracking connections and servers that hide who
	// they are (Warn) and opened connections (Debug). Nil means silence.
	Logger *slog.Logger
}

// withDefaults returns a checked copy with all zero values replaced.
func (o Options) withDefaults() (Options, error) {
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"DialTimeout", &o.DialTimeout, DefaultDialTimeout},
		{"KeepAlive", &o.KeepAlive, DefaultKeepAlive},
		{"KeepAliveTimeout", &o.KeepAliveTimeout, DefaultKeepAliveTimeout},
		{"SilenceTimeout", &o.SilenceTimeout, DefaultSilenceTimeout},
		{"CutTimeout", &o.CutTimeout, max(DefaultCutTimeout, o.SilenceTimeout)},
		{"Heartbeat", &o.Heartbeat, DefaultHeartbeat},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("redisconn: Options.%s is %v; it must be positive, or 0 for %v", d.name, *d.value, d.def)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if o.CutTimeout < o.SilenceTimeout {
		return o, fmt.Errorf("redisconn: Options.CutTimeout is %v; it must not be less than SilenceTimeout, which is %v", o.CutTimeout, o.SilenceTimeout)
	}
	if o.ReadWires < 0 || o.ReadWires > MaxReadWires {
		return o, fmt.Errorf("redisconn: Options.ReadWires is %d; it must be 1 to %d, or 0 for %d", o.ReadWires, MaxReadWires, defaultWires())
	}
	if o.ReadWires == 0 {
		o.ReadWires = defaultWires()
	}
	for _, r := range o.ClientName {
		if r <= ' ' || r > '~' {
			return o, fmt.Errorf("redisconn: Options.ClientName is %q; it must be printable ASCII without spaces", o.ClientName)
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
	}
	return o, nil
}

// fits checks what depends on the URL.
func (o Options) fits(t target) error {
	if o.TLS != nil && !t.tls {
		return fmt.Errorf("redisconn: Options.TLS is set but the URL's scheme is %s, which is not encrypted; use a rediss scheme", t.scheme)
	}
	if o.Credentials != nil && (t.username != "" || t.password != "") {
		return fmt.Errorf("redisconn: Options.Credentials is set and the URL has credentials too; use one of them")
	}
	if o.SentinelCredentials != nil && t.master == "" {
		return fmt.Errorf("redisconn: Options.SentinelCredentials is set but the URL's scheme is %s, which has no sentinels", t.scheme)
	}
	return nil
}

// defaultWires is the number of connections of each kind per node.
func defaultWires() int {
	if runtime.GOMAXPROCS(0) > 4 {
		return 2
	}
	return 1
}
