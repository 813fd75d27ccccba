package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/telemetry"
)

const serveName = "serve"

var serveCommand = command{
	name:    serveName,
	summary: "answer @upstash/redis and what builds on it, over HTTP",
	run:     runServe,
}

const serveUsage = `Serves the Upstash REST API on the Redis server of --redis, LARDER_REDIS_URL or
REDIS_URL: redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://.
Without one, or with embedded:, it serves an engine inside the process, which
forgets everything when it ends.

The token that clients present comes from --token-file, from LARDER_TOKEN, or
from --token, which others can see in the list of processes. Without any a
random one is made, which is allowed on loopback addresses only. Clients that
present the token of --read-only-token-file or LARDER_READ_ONLY_TOKEN may read.

A dashboard (/dashboard/, which asks for the token), metrics for Prometheus
(/metrics) and whether Redis answers (/healthz) are served at
--admin, on loopback to everybody, elsewhere to those who present the token.
With a Redis server the figures are also kept there for three hours, under keys
that begin with "~{telemetry}:", for larder top.
`

const (
	defaultServeListen = "127.0.0.1:8079"

	tokenVariable         = "LARDER_TOKEN"
	readOnlyTokenVariable = "LARDER_READ_ONLY_TOKEN"

	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	// shutdownTimeout is how long requests may take to end.
	shutdownTimeout = 10 * time.Second
	maxHeaderBytes  = 64 << 10
	maxTokenFile    = 64 << 10

	defaultMaxConnections = 10_000
)

// serveFlags are what the command line says.
type serveFlags struct {
	listen, redis, admin                string
	token, tokenFile, readOnlyTokenFile string
	certFile, keyFile                   string
	accessLog                           bool
	logLevel                            slog.Level
	maxConnections                      int
	opts                                gateway.Options
}

func runServe(ctx context.Context, std stdio, args []string) error {
	var f serveFlags
	fs := newFlags(std, serveName, serveUsage)
	fs.StringVar(&f.listen, "listen", defaultServeListen, "the `address` to listen on; port 0 means a free one")
	fs.StringVar(&f.admin, "admin", "", "the `address` of metrics and health, or \"off\" (default: "+defaultAdmin+", if it is free)")
	fs.StringVar(&f.redis, "redis", "", "the `URL` of the Redis server, or embedded: (default: LARDER_REDIS_URL, REDIS_URL, or embedded:)")
	fs.StringVar(&f.token, "token", "", "the `token` of clients with all rights, for trying things out")
	fs.StringVar(&f.tokenFile, "token-file", "", "a `file` that holds that token (default: "+tokenVariable+")")
	fs.StringVar(&f.readOnlyTokenFile, "read-only-token-file", "", "a `file` that holds the token of clients that may only read (default: "+readOnlyTokenVariable+")")
	fs.StringVar(&f.certFile, "tls-cert", "", "a PEM `file` with the certificate chain, to serve HTTPS")
	fs.StringVar(&f.keyFile, "tls-key", "", "a PEM `file` with its key")
	fs.IntVar(&f.opts.MaxRequest, "max-request", gateway.DefaultMaxRequest, "the most `bytes` of a request, and of one result")
	fs.IntVar(&f.opts.MaxPipeline, "max-pipeline", gateway.DefaultMaxPipeline, "the most `commands` of a pipeline or transaction")
	fs.IntVar(&f.maxConnections, "max-connections", defaultMaxConnections, "the most `connections` that are open at a time; further ones wait")
	fs.TextVar(&f.logLevel, "log-level", slog.LevelInfo, "the least `level` of what is logged on standard error: debug, info, warn or error")
	fs.BoolVar(&f.accessLog, "access-log", false, "log every request on standard error, without paths, tokens and values")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	if err := f.complete(); err != nil {
		return err
	}
	logs := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: f.logLevel}))
	if f.opts.Logger = logs; f.accessLog {
		f.opts.AccessLog = logs
	}
	return f.serve(ctx, std)
}

// complete finds the tokens and checks what belongs together.
func (f *serveFlags) complete() (err error) {
	mistake := func(format string, args ...any) error {
		return &usageError{serveName, fmt.Sprintf(format, args...)}
	}
	switch {
	case (f.certFile == "") != (f.keyFile == ""):
		return mistake("--tls-cert and --tls-key belong together")
	case f.token != "" && f.tokenFile != "":
		return mistake("--token and --token-file are two sources of one token; give one of them")
	case f.opts.MaxRequest <= 0:
		return mistake("--max-request is %d; it must be positive", f.opts.MaxRequest)
	case f.maxConnections <= 0:
		return mistake("--max-connections is %d; it must be positive", f.maxConnections)
	case f.opts.MaxPipeline <= 0:
		return mistake("--max-pipeline is %d; it must be positive", f.opts.MaxPipeline)
	}
	if f.opts.Token, err = secret("--token-file", f.tokenFile, tokenVariable); err != nil {
		return err
	}
	if f.token != "" {
		f.opts.Token = f.token
	}
	if f.opts.ReadOnlyToken, err = secret("--read-only-token-file", f.readOnlyTokenFile, readOnlyTokenVariable); err != nil {
		return err
	}
	if f.opts.Token == "" {
		if !loopback(f.listen) {
			return mistake("--listen %s can be reached from elsewhere, which needs a token of your choice: give --token-file or set %s", f.listen, tokenVariable)
		}
		f.opts.Token = rand.Text()
	}
	if f.admin != "" && f.admin != adminOff && !loopback(f.admin) && !f.tokenGiven() {
		return mistake("--admin %s can be reached from elsewhere, which needs a token of your choice: give --token-file or set %s", f.admin, tokenVariable)
	}
	if f.opts.Token == f.opts.ReadOnlyToken {
		return mistake("the token and the read-only token are the same; they must differ")
	}
	return nil
}

// secret reads a token from a file, or else from the environment.
func secret(flagName, file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	in, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flagName, err)
	}
	defer func() { _ = in.Close() }()
	b, err := io.ReadAll(io.LimitReader(in, maxTokenFile))
	if err != nil {
		return "", fmt.Errorf("%s: %w", flagName, err)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", &usageError{serveName, flagName + ": the file must hold one line, the token"}
	}
	return token, nil
}

// loopback tells whether an address can be reached from this machine only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// backend opens what is served, watched by o, and says what it is.
func (f *serveFlags) backend(ctx context.Context, o observe.Observer) (c conn.Conn, what string, err error) {
	url, from := f.redis, "--redis"
	for _, name := range redisVariables {
		if url == "" {
			url, from = os.Getenv(name), name
		}
	}
	if url == "" || url == "embedded:" {
		c, err := embedded.Open(ctx)
		return c, "the embedded engine, which forgets everything when it ends; for a Redis server give --redis", err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	rc, err := redisconn.Open(ctx, url, redisconn.Options{ReadWires: 1, ClientName: "larder-serve", Logger: f.opts.Logger, Observer: o})
	if err != nil {
		if !errors.Is(err, conn.ErrUnavailable) && conn.Code(err) == "" {
			err = &usageError{serveName, from + ": " + strings.TrimPrefix(err.Error(), "redisconn: ")}
		}
		return nil, "", err
	}
	caps := rc.Capabilities()
	what = strings.TrimSpace(caps.Server + " " + caps.Version)
	if caps.Cluster {
		what += " cluster"
	}
	return rc, what + " of " + from, nil
}

func (f *serveFlags) serve(ctx context.Context, std stdio) error {
	var certs []tls.Certificate
	scheme := "http"
	if f.certFile != "" {
		cert, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
		if err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		certs, scheme = []tls.Certificate{cert}, "https"
	}
	tel, err := telemetry.New(nil, telemetry.Options{Service: "larder-serve", Logger: f.opts.Logger})
	if err != nil {
		return err
	}
	c, what, err := f.backend(ctx, tel)
	if err != nil {
		return errors.Join(err, tel.Close(ctx))
	}
	defer func() { _ = c.Close() }()
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certs}
	adminTLS := tlsConfig.Clone()
	if certs == nil {
		adminTLS = nil
	}
	adminURL, stop, err := f.tell(ctx, tel, c, adminTLS)
	if err != nil {
		return err
	}
	defer stop()
	f.opts.Observer = tel
	g, err := gateway.New(c, f.opts)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	ln = newLimitListener(ln, f.maxConnections)
	srv := &http.Server{
		Handler: g, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		TLSConfig: tlsConfig,
		ErrorLog:  slog.NewLogLogger(f.opts.Logger.Handler(), slog.LevelDebug), // handshakes of strangers
	}
	if adminURL != "" {
		fmt.Fprintf(std.err, "larder: dashboard at %s%s (log in with the token), metrics at %s/metrics\n", adminURL, dashboardPath, adminURL)
	}
	f.announce(std, scheme, ln.Addr(), what)
	ended := make(chan error, 1)
	go func() {
		if certs != nil {
			ended <- srv.ServeTLS(ln, "", "")
		} else {
			ended <- srv.Serve(ln)
		}
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		fmt.Fprintln(std.err, "larder: shutting down")
	}
	// Streams first: Shutdown waits for them.
	_ = g.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if shut := srv.Shutdown(grace); shut != nil {
		_ = srv.Close()
		err = errors.Join(err, fmt.Errorf("some requests did not end within %v", shutdownTimeout))
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// tokenGiven tells whether somebody has chosen the token.
func (f *serveFlags) tokenGiven() bool {
	return f.token != "" || f.tokenFile != "" || os.Getenv(tokenVariable) != ""
}

// tell lets tel write what it sees beside what is served from c, and starts the pages of
// --admin. stop, which is never nil, ends both, and tel.
func (f *serveFlags) tell(ctx context.Context, tel *telemetry.Telemetry, c conn.Conn, tc *tls.Config) (url string, stop func(), err error) {
	records := c
	var dash *dashboard.Dashboard
	closeAdmin := func() {}
	stop = func() {
		if dash != nil {
			_ = dash.Close()
		}
		closeAdmin()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
		defer cancel()
		if err := tel.Close(grace); err != nil {
			f.opts.Logger.Warn("the last figures could not be written", "error", err)
		}
		if records != c {
			_ = records.Close()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	if c.Capabilities().Server == "embedded" {
		// Among the keys of clients nobody else could read them.
		own, err := embedded.Open(ctx)
		if err != nil {
			return "", stop, err
		}
		records = own
	}
	tel.Attach(records)
	addr, token := f.admin, ""
	if addr == "" {
		addr = defaultAdmin
	}
	if addr != adminOff && !loopback(addr) {
		token = f.opts.Token
	}
	if dash, err = dashboard.New(c, dashboard.Options{Token: f.opts.Token, Figures: records, Logger: f.opts.Logger}); err != nil {
		return "", stop, err
	}
	url, closeAdmin, err = newAdmin(tel, c, token, dash).start(ctx, addr, f.admin != "", tc, f.opts.Logger)
	return url, stop, err
}

// announce prints what to paste into an app's environment. A token that somebody
// has chosen is not repeated.
func (f *serveFlags) announce(std stdio, scheme string, addr net.Addr, what string) {
	fmt.Fprintf(std.err, "larder: serving %s\n", what)
	token := f.opts.Token
	if f.tokenGiven() {
		token = "<the token you gave>"
	}
	fmt.Fprintf(std.out, "UPSTASH_REDIS_REST_URL=%q\nUPSTASH_REDIS_REST_TOKEN=%q\n", scheme+"://"+addr.String(), token)
}
