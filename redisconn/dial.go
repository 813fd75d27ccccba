package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"

	"github.com/redis/rueidis"
)

// sentinelDialer marks the dialer that the client library uses for sentinels:
// it passes the dialer to the dial function, and nothing else tells them apart.
var sentinelDialer = new(net.Resolver)

// wire is how the connections of one client are opened and watched.
type wire struct {
	life   *life
	opts   Options
	target target
	// opened is called before anything can be read over a new connection, lost
	// at the first sign that one is gone; both may be nil.
	opened func()
	lost   func(addr string, cause error)
	gates  *gateSet // of the client; nil for one that nobody shares
}

var (
	errDialAfterClose = errors.New("not dialled: the connection is closed")
	errNoDial         = errors.New("no connection yet; one is made in the background")
)

// dialKind says in a context who asks the library for something that may make
// it dial: the library does so in whatever goroutine comes along.
type dialKind uint8

const (
	dialNever  dialKind = iota // callers on shared connections
	dialKeeper                 // the keeper of the connection
	dialAlone                  // who wants a connection that is not shared
)

type dialKey struct{}

func dialling(ctx context.Context, kind dialKind) context.Context {
	return context.WithValue(ctx, dialKey{}, kind)
}

// calling stands for the background context of a caller. The library's own
// goroutines use the background context as it is.
var calling = dialling(context.Background(), dialNever)

// called returns ctx such that dial knows a caller by it.
func called(ctx context.Context) context.Context {
	if ctx == context.Background() {
		return calling
	}
	return ctx
}

// kind tells who wants a connection, and whether it is to have one.
func (w *wire) kind(ctx context.Context) (kind dialKind, allowed bool) {
	kind, marked := ctx.Value(dialKey{}).(dialKind)
	switch {
	case w.gates == nil:
		return dialAlone, true
	case marked && kind != dialNever:
		return kind, true
	case !w.life.ready.Load(): // in Open
		return dialKeeper, true
	}
	// The library looks at a cluster, and follows a failover, by itself.
	return dialKeeper, ctx == context.Background() && (w.target.cluster || w.target.master != "")
}

// dial opens one connection; it is the only place where that happens. It refuses
// callers: the keeper of the connection dials, see gate.
func (w *wire) dial(ctx context.Context, addr string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	sentinel := dialer.Resolver == sentinelDialer
	kind, allowed := w.kind(ctx)
	if !allowed && !sentinel {
		return nil, errNoDial
	}
	ctx, release := w.life.bind(ctx)
	defer release()
	ctx, cancel := context.WithTimeout(ctx, w.opts.DialTimeout)
	defer cancel()
	network := "tcp"
	if w.target.unix {
		network = "unix"
	}
	open := w.opts.Dial
	if open == nil {
		open = (&net.Dialer{KeepAlive: w.opts.KeepAlive}).DialContext
	}
	raw, err := open(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	s := &socket{Conn: raw, raw: raw, addr: addr, life: w.life, sentinel: sentinel}
	if config != nil {
		if s.Conn, err = handshake(ctx, raw, addr, config); err != nil {
			return nil, err
		}
	}
	shared := !sentinel && kind != dialAlone
	if shared {
		s.gate = w.gates.get(addr)
		if w.lost != nil {
			s.lose = func(cause error) { w.lost(addr, cause) }
		}
	}
	if !w.life.adopt(s) {
		_ = raw.Close()
		return nil, errDialAfterClose
	}
	if shared {
		if w.opened != nil {
			w.opened()
		}
		s.gate.attach(s)
	}
	w.opts.Logger.LogAttrs(ctx, slog.LevelDebug, "redisconn: connected", slog.String("addr", addr))
	return s, nil
}

func handshake(ctx context.Context, raw net.Conn, addr string, config *tls.Config) (net.Conn, error) {
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	tc := tls.Client(raw, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return tc, nil
}

// login returns what a new connection logs in with.
func (w *wire) login(ac rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
	ask := w.opts.Credentials
	if _, ok := ac.Address.(sentinelAddr); ok {
		ask = w.opts.SentinelCredentials
		if ask == nil {
			return rueidis.AuthCredentials{}, nil
		}
	}
	if ask == nil {
		return rueidis.AuthCredentials{Username: w.target.username, Password: w.target.password}, nil
	}
	ctx, release := w.life.bind(context.Background())
	defer release()
	ctx, cancel := context.WithTimeout(ctx, w.opts.DialTimeout)
	defer cancel()
	user, pass, err := ask(ctx)
	if err != nil {
		return rueidis.AuthCredentials{}, &credentialsError{err}
	}
	return rueidis.AuthCredentials{Username: user, Password: pass}, nil
}

// credentialsError says where the error comes from.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "Options.Credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }
