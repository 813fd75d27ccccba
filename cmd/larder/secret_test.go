package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	root "github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/session"
	"github.com/larder-go/larder/upstash"
)

// What must not be printed by anything.
const (
	secretToken    = "hush-standard-token"
	secretReader   = "hush-reader-token"
	secretPassword = "hush-redis-password"
	secretValue    = "hush-cached-value"
	secretKey      = "hush-encryption-key-of-32-bytes!"
)

// spill is all that a run has printed: logs, errors and answers to mistakes, values
// that were formatted.
type spill struct {
	notes
	log *slog.Logger
	ids []session.ID
}

func newSpill() *spill {
	s := &spill{}
	s.log = slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return s
}

// failed notes an error, which there has to be.
func (s *spill) failed(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	s.print(err)
}

// print formats a value in every way.
func (s *spill) print(v any) {
	fmt.Fprintf(s, "%v\n%+v\n%#v\n", v, v, v)
	s.log.Info("printed", "value", v)
	slog.New(slog.NewTextHandler(s, nil)).Info("printed", "value", v)
}

// found lists the secrets that text holds, by what they are.
func (s *spill) found(text string) (found []string) {
	for what, secret := range map[string]string{
		"the token": secretToken, "the read-only token": secretReader, "the password": secretPassword,
		"a value": secretValue, "an encryption key": secretKey, "the beginning of some secret": "hush-",
		"an encryption key in bytes": strings.Trim(fmt.Sprint([]byte(secretKey)), "[]"),
	} {
		if strings.Contains(text, secret) {
			found = append(found, what)
		}
	}
	const placeChars = 16 // of an id, which are in the names of Redis keys too
	for _, id := range s.ids {
		if strings.Contains(text, string(id)[placeChars:]) {
			found = append(found, "a session id")
		}
	}
	return found
}

// TestNothingPrintsSecrets runs the gateway with its access log and debug logs, and
// every package with a logger over a Redis with a password; uses them, provokes errors,
// and prints what they return: no token, password, value, key or session id may be in it.
func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	out := newSpill()
	srv := redistest.Start(t, "--requirepass", secretPassword)
	url := strings.Replace(srv.URL(), "redis://", "redis://default:"+secretPassword+"@", 1)
	if !strings.Contains(url, secretPassword) {
		url = srv.URL()
	}
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{Logger: out.log, ClientName: "secrets"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	out.print(c)
	served := out.gateway(t, url)
	out.sessions(t, c)
	out.caches(t, c)
	out.mistakes(t, srv)
	out.away(t, srv, served)

	served.cancel()
	if code := <-served.done; code != exitOK {
		t.Errorf("exit %d", code)
	}
	text := out.String() + served.errs.String()
	for _, what := range out.found(text) {
		t.Errorf("%s was printed", what)
	}
	for _, want := range []string{"gateway: request", "WRONGPASS", "session: ", "[session id]", "conn: ", "redisconn: connected", "event: "} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing printed %q: the run has not covered it", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	// That the check can fail.
	for _, planted := range []string{"Bearer " + secretToken, `"` + string(out.ids[0]) + `"`, secretValue, fmt.Sprint([]byte(secretKey))} {
		if len(out.found("x"+planted+"x")) == 0 {
			t.Error("a planted secret is not found")
		}
	}
}

// gateway serves, is used and misused.
func (s *spill) gateway(t *testing.T, url string) *served {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"token": secretToken, "reader": secretReader} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv := startServe(t, nil, "--redis", url, "--access-log", "--log-level", "debug",
		"--token-file", filepath.Join(dir, "token"), "--read-only-token-file", filepath.Join(dir, "reader"))
	if strings.Contains(srv.token, "hush") {
		t.Error("a chosen token is printed on standard output")
	}
	u, err := upstash.Open(t.Context(), srv.url, secretToken, upstash.Options{Logger: s.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	s.print(u)
	if _, err := u.Do(t.Context(), conn.Key("SET", "k", secretValue, "EX", "60")); err != nil {
		t.Fatal(err)
	}
	for _, r := range u.Pipeline(t.Context(), conn.Key("LPUSH", "k", "x"), conn.Cmd("NOSUCH", secretValue), conn.Key("SET", "k", "v", "EX", secretValue)) {
		s.failed(t, "a pipeline", r.Err)
	}
	_, err = u.Eval(t.Context(), conn.NewScript("return redis.call('INCR', KEYS[1])"), []string{"k"}, []string{secretValue})
	s.failed(t, "a script", err)
	_, err = upstash.Open(t.Context(), srv.url, secretToken+"-wrong", upstash.Options{Logger: s.log})
	s.failed(t, "a wrong token", err)
	_, err = upstash.Open(t.Context(), srv.url+"?token="+secretToken, secretToken, upstash.Options{})
	s.failed(t, "a token in the URL", err)
	_, err = upstash.Open(t.Context(), "http://x:"+secretPassword+"@127.0.0.1:1", secretToken+"\n", upstash.Options{})
	s.failed(t, "a password in the URL", err)
	for _, bad := range []struct{ path, token string }{
		{"/get/k?_token=" + secretReader, "nope"},
		{"/" + secretToken + "/x", secretToken},
		{"/set/k/v/" + secretValue, secretReader},
		{"/subscribe/" + secretToken + "?_token=" + secretToken, "nope"},
		{"/set/k/v/EX/" + secretValue, secretToken},
	} {
		status, body := srv.get(bad.token, bad.path)
		if status == http.StatusOK {
			t.Errorf("%s is no mistake", bad.path)
		}
		// An answer goes to who has asked, and may name the command that he sent.
		if !strings.HasPrefix(bad.path, "/"+secretToken) {
			fmt.Fprintln(s, body)
		}
	}
	// What net/http says about requests that are none goes to the log.
	for _, bad := range []string{
		"GET /get/k?_token=" + secretToken + " HTTP/9.9\r\n\r\n", "Authorization: Bearer " + secretToken + "\r\n\r\n",
		"GET /x HTTP/1.1\r\nAuthorization: Bearer " + secretToken + "\r\nHost: a\r\nHost: b\r\n\r\n",
	} {
		raw := dialServe(t, srv)
		if _, err := io.WriteString(raw, bad); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(raw)
		_, _ = s.Write(answer)
	}
	return srv
}

// sessions are made, used over HTTP, and misused.
func (s *spill) sessions(t *testing.T, c conn.Conn) {
	t.Helper()
	key, err := session.NewKey("one", []byte(secretKey))
	if err != nil {
		t.Fatal(err)
	}
	o := session.Options{Namespace: "secrets", Keys: []session.Key{key}}
	store, err := session.New[string](c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.print(key)
	s.print(store)
	one, err := store.Create(t.Context(), "ada", secretValue)
	if err != nil {
		t.Fatal(err)
	}
	s.ids = append(s.ids, one.ID)
	one.Data = "" // who prints what he has stored has printed it
	s.print(one)
	s.print(one.ID)
	s.print(&one)
	s.print(one.Handle)
	err = store.DestroyHandle(t.Context(), string(one.ID))
	s.failed(t, "an id for a handle", err)
	_, err = store.Get(t.Context(), session.ID(string(one.ID)[:40]))
	s.failed(t, "a part of an id", err)
	_, err = session.NewKey("two", []byte(secretKey[:10]))
	s.failed(t, "a short key", err)
	_, err = store.Update(t.Context(), one.ID, func(*string) error { return fmt.Errorf("refused") })
	s.failed(t, "an update", err)
	other, err := session.New[int](c, session.Options{Namespace: "secrets"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Get(t.Context(), one.ID) // without the key, and of another type
	s.failed(t, "a session of others", err)

	m, err := session.NewMiddleware(store, session.CookieOptions{Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := m.Of(r)
		if err := h.Login(r.Context(), "ada", nil); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
		s.failed(t, "a late log-in", h.Login(r.Context(), "eve", nil))
		if r.URL.Path == "/panic" {
			panic(fmt.Errorf("on purpose: %w", http.ErrBodyNotAllowed))
		}
	})))
	web.Config.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelError)
	web.Start()
	defer web.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	hc := web.Client()
	hc.Jar = jar
	for _, path := range []string{"/", "/", "/panic"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := hc.Do(req); err == nil {
			_ = res.Body.Close()
		}
		for _, cookie := range jar.Cookies(req.URL) {
			s.ids = append(s.ids, session.ID(cookie.Value))
		}
	}
	if len(s.ids) < 3 {
		t.Error("no cookie was set")
	}
}

// caches hold an encrypted value, and one that cannot be read.
func (s *spill) caches(t *testing.T, c conn.Conn) {
	t.Helper()
	key, err := root.NewEncryptionKey("one", []byte(secretKey))
	if err != nil {
		t.Fatal(err)
	}
	s.print(key)
	codec, err := root.Encrypt(root.JSON[string](), key)
	if err != nil {
		t.Fatal(err)
	}
	o := root.Options[int, string]{Namespace: "secrets-cache", TTL: time.Hour, Codec: codec, Logger: s.log, L1MaxBytes: -1}
	o.Load = func(context.Context, int) (string, error) { return secretValue, nil }
	cache, err := root.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	if _, err := cache.Get(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	x, err := cache.Explain(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s.print(x)
	_, err = cache.GetWith(t.Context(), 2, func(context.Context, int) (string, error) { return secretValue, errors.New("no database") })
	s.failed(t, "a load", err)
	v, err := c.Do(t.Context(), conn.Key("GET", "secrets-cache:1"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(v.Str, secretValue) {
		t.Error("the value is stored in clear")
	}
	if _, err := c.Do(t.Context(), conn.Key("SET", "secrets-cache:1", v.Str[:len(v.Str)-3]+secretValue, "EX", "60")); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Get(t.Context(), 1); err != nil { // a damaged entry is a miss, and is logged
		t.Fatal(err)
	}
	topic, err := event.NewTopic[int](c, "secrets-topic", event.Options{Logger: s.log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = topic.Close() }()
	sub, err := topic.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close() }()
	if _, err := c.Do(t.Context(), conn.Cmd("PUBLISH", "secrets-topic", `"`+secretValue+`"`)); err != nil {
		t.Fatal(err)
	}
	_, err = sub.Next(t.Context())
	s.failed(t, "a message of another type", err)
}

// mistakes are those of the command line.
func (s *spill) mistakes(t *testing.T, srv *redistest.Server) {
	t.Helper()
	wrong := strings.Replace(srv.URL(), "redis://", "redis://default:"+secretPassword+"-wrong@", 1)
	for _, args := range [][]string{
		{"serve", "--redis", wrong},
		{"serve", "--token", secretToken, "--token-file", "x"},
		{"serve", "--token", secretToken, "--max-request", "0"},
		{"explain", wrong},
		{"explain", "--redis", wrong, "user:1"},
		{"get", "--redis", strings.Replace(wrong, "redis:", "http:", 1), "user:1"},
		{"invalidate", "--redis", wrong, "user:1"},
		{"demo", "--postgres", "mysql://me:" + secretPassword + "@host/db"},
		{"demo", "--redis", wrong, "--goroot", smallGOROOT(t)},
		{"soak", "--redis", wrong},
	} {
		code, stdout, stderr := larder(t.Context(), args...)
		if code == exitOK {
			t.Errorf("%q is no mistake", args[0])
		}
		fmt.Fprintln(s, stdout, stderr)
	}
}

// away stops Redis under everybody.
func (s *spill) away(t *testing.T, srv *redistest.Server, serving *served) {
	t.Helper()
	url := strings.Replace(srv.URL(), "redis://", "redis://default:"+secretPassword+"@", 1)
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{Logger: s.log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	store, err := session.New[string](c, session.Options{Namespace: "secrets-away"})
	if err != nil {
		t.Fatal(err)
	}
	one, err := store.Create(t.Context(), "ada", "")
	if err != nil {
		t.Fatal(err)
	}
	s.ids = append(s.ids, one.ID)
	limiter, err := ratelimit.New(c, ratelimit.Options{Algorithm: ratelimit.FixedWindow(1, time.Minute), Logger: s.log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = limiter.Close() }()
	srv.Stop()
	_, err = store.Get(t.Context(), one.ID)
	s.failed(t, "get", err)
	_, err = store.Update(t.Context(), one.ID, func(*string) error { return nil })
	s.failed(t, "update", err)
	_, err = store.Renew(t.Context(), one.ID, "ada", nil)
	s.failed(t, "renew", err)
	s.failed(t, "destroy", store.Destroy(t.Context(), one.ID))
	if d, err := limiter.Limit(t.Context(), "ada"); err != nil {
		s.print(err)
	} else {
		s.print(d)
	}
	status, body := serving.get(secretToken, "/get/"+secretValue)
	if status != http.StatusServiceUnavailable {
		t.Errorf("%d without Redis", status)
	}
	fmt.Fprintln(s, body)
	_, err = redisconn.Open(t.Context(), url, redisconn.Options{Logger: s.log, DialTimeout: time.Second})
	s.failed(t, "open", err)
}
