package upstash

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/larder-go/larder/conn"
)

// probe is what Open has the server echo: bytes that are not UTF-8.
const probe = "larder \x00\xff\xfe\r\n"

// Open makes a handle on the server at url, for example https://name.upstash.io,
// and asks what it is. It fails if the URL, the token or opts are wrong, if the
// server cannot be reached, or if it refuses the token. The returned Conn does
// not depend on ctx.
func Open(ctx context.Context, url, token string, opts Options) (*Conn, error) {
	base, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := checkToken(token); err != nil {
		return nil, err
	}
	if opts, err = opts.withDefaults(); err != nil {
		return nil, err
	}
	c := newConn(base, token, opts)
	if err := c.discover(ctx); err != nil {
		_ = c.Close()
		return nil, openError(err)
	}
	if opts.Heartbeat > 0 {
		c.users.Go(func() { c.keep(c.life) })
	}
	return c, nil
}

// FromEnv is Open with the variables UPSTASH_REDIS_REST_URL and
// UPSTASH_REDIS_REST_TOKEN. It fails if one of them is not set or empty.
func FromEnv(ctx context.Context, opts Options) (*Conn, error) {
	url, token := os.Getenv(VariableURL), os.Getenv(VariableToken)
	if url == "" {
		return nil, fmt.Errorf("upstash: %s is not set", VariableURL)
	}
	if token == "" {
		return nil, fmt.Errorf("upstash: %s is not set", VariableToken)
	}
	return Open(ctx, url, token, opts)
}

// discover learns what the server is and what it understands.
func (c *Conn) discover(ctx context.Context) error {
	c.takesBytes = true
	v, err := c.Do(ctx, conn.Cmd("ECHO", probe))
	switch code := conn.Code(err); {
	case code == "WRONGPASS", code == "Unauthorized":
		return err
	case err != nil && code == "":
		return err
	}
	c.takesBytes = err == nil && v.Str == probe
	server, err := c.ask(ctx)
	if err != nil {
		return err
	}
	c.caps.Version = server.version
	c.known.Store(server)
	return nil
}

// openError says what to do where that is clear.
func openError(err error) error {
	e := &conn.Error{Op: "open", Err: err}
	switch conn.Code(err) {
	case "WRONGPASS", "Unauthorized":
		e.Hint = "check the token"
	}
	return e
}

// ownTransport is what sends the requests of one Conn. Dead connections are
// noticed, under streams too, for which nothing may come for a long time.
func ownTransport() *http.Transport {
	dialer := &net.Dialer{
		Timeout: 5 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
		},
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 5 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		// Replies are mostly small; what is packed costs more than it saves.
		DisableCompression: true,
	}
}
