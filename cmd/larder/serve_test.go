package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// served is a running "larder serve".
type served struct {
	t      *testing.T
	url    string
	token  string
	hc     *http.Client
	errs   *notes
	cancel func()
	done   chan int
}

// notes is what a command writes while others read it.
type notes struct {
	mu sync.Mutex
	b  strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

var environmentLine = regexp.MustCompile(`^(UPSTASH_REDIS_REST_URL|UPSTASH_REDIS_REST_TOKEN)="(.*)"\n$`)

// startServe runs the command until the test ends and reads the two lines that
// it prints.
func startServe(t *testing.T, pool *x509.CertPool, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &served{t: t, errs: &notes{}, cancel: cancel, done: make(chan int, 1)}
	go func() {
		code := run(ctx, stdio{strings.NewReader(""), w, s.errs}, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
		_ = w.Close()
		s.done <- code
	}()
	in := bufio.NewReader(r)
	for _, to := range []*string{&s.url, &s.token} {
		line, err := in.ReadString('\n')
		m := environmentLine.FindStringSubmatch(line)
		if err != nil || m == nil {
			t.Fatalf("got %q, %v\nstderr: %s", line, err, s.errs)
		}
		*to = m[2]
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	s.hc = &http.Client{Transport: tr}
	t.Cleanup(func() {
		cancel()
		tr.CloseIdleConnections()
	})
	return s
}

func (s *served) get(token, path string) (status int, body string) {
	s.t.Helper()
	res := s.open(token, path)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (s *served) open(token, path string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := s.hc.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// wantGet compares one answer.
func (s *served) wantGet(token, path string, status int, body string) {
	s.t.Helper()
	if got, text := s.get(token, path); got != status || !strings.HasPrefix(text, body) {
		s.t.Errorf("%s: %d %s, want %d %s", path, got, text, status, body)
	}
}

func TestServeEmbedded(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--redis", "embedded:", "--access-log")
	if !strings.HasPrefix(s.url, "http://127.0.0.1:") || len(s.token) < 20 {
		t.Fatalf("%s %s", s.url, s.token)
	}
	s.wantGet(s.token, "/set/foo/secretvalue", 200, `{"result":"OK"}`)
	s.wantGet(s.token, "/get/foo", 200, `{"result":"secretvalue"}`)
	s.wantGet("nope", "/get/foo", 401, `{"error":"WRONGPASS`)
	s.wantGet("", "/readyz", 200, `{"status":"ok"}`)
	stream := s.open(s.token, "/subscribe/c")
	defer func() { _ = stream.Body.Close() }()
	s.cancel()
	if code := <-s.done; code != exitOK {
		t.Errorf("exit %d\n%s", code, s.errs)
	}
	if b, err := io.ReadAll(stream.Body); err != nil || !strings.HasPrefix(string(b), "data: subscribe,c,1\n\n") {
		t.Errorf("the stream: %q, %v", b, err)
	}
	for text, want := range map[string]bool{"embedded engine": true, "status=200": true, "secretvalue": false, s.token: false} {
		if strings.Contains(s.errs.String(), text) != want {
			t.Errorf("%q is printed: %v\n%s", text, !want, s.errs)
		}
	}
}

func TestServeRedisOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, pool := redistest.Certificate(t, dir)
	tokens := map[string]string{"token": "standard\n", "reader": "reader"}
	for name, token := range tokens {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServe(t, pool, "--redis", redistest.Start(t).URL(), "--tls-cert", cert, "--tls-key", key,
		"--token-file", filepath.Join(dir, "token"), "--read-only-token-file", filepath.Join(dir, "reader"), "--max-request", "1000")
	if !strings.HasPrefix(s.url, "https://") || strings.Contains(s.token, "standard") {
		t.Fatalf("%s %s", s.url, s.token)
	}
	s.wantGet("standard", "/set/foo/bar", 200, `{"result":"OK"}`)
	s.wantGet("reader", "/get/foo", 200, `{"result":"bar"}`)
	s.wantGet("reader", "/set/foo/baz", 400, `{"error":"NOPERM`)
	if !strings.Contains(s.errs.String(), "serving redis 7") {
		t.Errorf("stderr: %s", s.errs)
	}
	s.cancel()
	if code := <-s.done; code != exitOK {
		t.Errorf("exit %d\n%s", code, s.errs)
	}
}

func TestServeTakesTokensFromTheEnvironment(t *testing.T) {
	t.Setenv("LARDER_TOKEN", "standard")
	t.Setenv("LARDER_READ_ONLY_TOKEN", "reader")
	t.Setenv("LARDER_REDIS_URL", "embedded:")
	s := startServe(t, nil)
	s.wantGet("standard", "/ping", 200, `{"result":"PONG"}`)
	s.wantGet("reader", "/ping", 200, `{"result":"PONG"}`)
	s.wantGet(s.token, "/ping", 401, "")
	s.cancel()
	<-s.done
}

func TestServeMistakes(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"--listen :8079", exitUsage, "needs a token"},
		{"--listen 0.0.0.0:8079", exitUsage, "needs a token"},
		{"--listen [::]:0", exitUsage, "needs a token"},
		{"--listen 192.0.2.1:0 --read-only-token-file " + empty, exitUsage, "--read-only-token-file"},
		{"--tls-cert x", exitUsage, "belong together"},
		{"--tls-cert /no/such --tls-key /no/such", exitFailed, "--tls-cert"},
		{"--token hush --token-file x", exitUsage, "two sources"},
		{"--token-file /no/such/file", exitFailed, "--token-file"},
		{"--token-file " + empty, exitUsage, "one line"},
		{"--max-request 0", exitUsage, "--max-request is 0"},
		{"--max-pipeline -1", exitUsage, "--max-pipeline is -1"},
		{"--max-connections 0", exitUsage, "--max-connections is 0"},
		{"--redis http://me:hush@127.0.0.1", exitUsage, "--redis: URL: scheme"},
		{"--redis redis://me:hush@127.0.0.1:1", exitFailed, "127.0.0.1:1"},
		{"--listen 127.0.0.1:0 more", exitUsage, "unexpected argument"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := larder(t.Context(), append([]string{"serve"}, strings.Fields(tt.args)...)...)
			if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.stderr) || strings.Contains(stderr, "hush") {
				t.Errorf("exit %d, want %d\nstdout: %s\nstderr: %s", code, tt.code, stdout, stderr)
			}
		})
	}
}
