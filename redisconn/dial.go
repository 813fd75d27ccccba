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
}

var errDialAfterClose = errors.New("not dialled: the connection is closed")

// dial opens one connection; it is the only place where that happens.
func (w *wire) dial(ctx context.Context, addr string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
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
	if config != nil {
		if raw, err = handshake(ctx, raw, addr, config); err != nil {
			return nil, err
		}
	}
	s := &socket{Conn: raw, life: w.life, sentinel: dialer.Resolver == sentinelDialer}
	if !s.sentinel && w.lost != nil {
		s.lose = func(cause error) { w.lost(addr, cause) }
	}
	if !w.life.adopt(s) {
		_ = raw.Close()
		return nil, errDialAfterClose
	}
	if !s.sentinel && w.opened != nil {
		w.opened()
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
