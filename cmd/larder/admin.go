package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/telemetry"
)

const (
	// defaultAdmin is where "larder serve" tells about itself.
	defaultAdmin = "127.0.0.1:8078"
	// adminOff turns that off.
	adminOff = "off"
	// healthTimeout bounds the question whether Redis answers.
	healthTimeout = 2 * time.Second
)

// admin is what is shown to operators, beside what is served to clients.
type admin struct {
	// mux is where pages are mounted: all of them are behind the same guard.
	mux *http.ServeMux
	// token is what requests present, as Bearer token or as the password of Basic
	// authentication. Empty means that the listener is on loopback and asks for none.
	token string
	// dashboard has a log-in of its own.
	dashboard http.Handler
}

// dashboardPath is where the dashboard is.
const dashboardPath = "/dashboard/"

// newAdmin makes the pages. c is the server that is served.
func newAdmin(tel *telemetry.Telemetry, c conn.Doer, token string, dashboard http.Handler) *admin {
	a := &admin{mux: http.NewServeMux(), token: token, dashboard: http.StripPrefix("/dashboard", dashboard)}
	a.mux.Handle("GET /metrics", tel.Handler())
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { health(w, r, c) })
	a.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "larder\n\n/dashboard/  for people\n/metrics     for Prometheus\n/healthz     whether Redis answers")
	})
	return a
}

// health answers 200 if Redis does, and 503 if not.
func health(w http.ResponseWriter, r *http.Request, c conn.Doer) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := c.Do(ctx, conn.Cmd("PING")); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "Redis does not answer")
		return
	}
	fmt.Fprintln(w, "ok")
}

// ServeHTTP lets in who presents the token, and to the dashboard who asks it. Without one it lets in who asks for an
// address or for localhost: a page of another site that has its name resolved to
// loopback (DNS rebinding) asks for that name.
func (a *admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case a.token != "" && strings.HasPrefix(r.URL.Path+"/", dashboardPath):
		a.dashboard.ServeHTTP(w, r)
	case a.token != "" && !a.presented(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="larder"`)
		http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
	case a.token == "" && !ownHost(r.Host):
		http.Error(w, "ask for localhost or an address", http.StatusForbidden)
	case strings.HasPrefix(r.URL.Path+"/", dashboardPath):
		a.dashboard.ServeHTTP(w, r)
	default:
		a.mux.ServeHTTP(w, r)
	}
}

func (a *admin) presented(r *http.Request) bool {
	given := r.Header.Get("Authorization")
	if _, password, ok := r.BasicAuth(); ok {
		given = "Bearer " + password
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+a.token)) == 1
}

func ownHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return host == "localhost" || net.ParseIP(host) != nil
}

// start serves until stop is called. An address that is in use is an error only where
// somebody has chosen it.
func (a *admin) start(ctx context.Context, addr string, chosen bool, tc *tls.Config, logs *slog.Logger) (url string, stop func(), err error) {
	stop = func() {}
	if addr == adminOff {
		return "", stop, nil
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		if chosen {
			return "", stop, fmt.Errorf("--admin: %w", err)
		}
		logs.Warn("no metrics are served: the address is in use; give --admin", "address", addr)
		return "", stop, nil
	}
	srv := &http.Server{
		Handler: a, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		TLSConfig: tc, ErrorLog: slog.NewLogLogger(logs.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	scheme := "http"
	if tc != nil {
		scheme = "https"
	}
	go func() {
		defer close(ended)
		serve := func() error { return srv.Serve(ln) }
		if tc != nil {
			serve = func() error { return srv.ServeTLS(ln, "", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			logs.Error("metrics are not served any more", "error", err)
		}
	}()
	return scheme + "://" + ln.Addr().String(), func() { _ = srv.Close(); <-ended }, nil
}
