package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

const (
	token         = "standard-token"
	readOnlyToken = "read-only-token"
	// patience is how long tests wait for an event before they give up.
	patience = 30 * time.Second
)

// forEachBackend runs a test on the embedded engine, on Redis and on a cluster.
// Each has the server to itself.
func forEachBackend(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	for name, open := range map[string]func(t *testing.T) conn.Conn{
		"embedded": func(t *testing.T) conn.Conn {
			t.Helper()
			return openEmbedded(t)
		},
		"redis": func(t *testing.T) conn.Conn {
			t.Helper()
			return openRedis(t, redistest.Start(t).URL())
		},
		"cluster": func(t *testing.T) conn.Conn {
			t.Helper()
			return openRedis(t, redistest.Cluster(t, 3).URL())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func openEmbedded(t testing.TB) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func openRedis(t testing.TB, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// client talks to one gateway.
type client struct {
	tb  testing.TB
	url string
	hc  *http.Client
	g   *gateway.Gateway
}

func serve(tb testing.TB, c conn.Conn, opts gateway.Options) *client {
	tb.Helper()
	opts.Token, opts.ReadOnlyToken = token, readOnlyToken
	g, err := gateway.New(c, opts)
	if err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(g)
	tb.Cleanup(func() {
		if err := g.Close(); err != nil {
			tb.Error(err)
		}
		srv.Close()
	})
	return &client{tb, srv.URL, srv.Client(), g}
}

// answer is a response, read to its end.
type answer struct {
	status int
	body   string
	header http.Header
}

// send sends a request; headers are pairs. An Authorization header is added
// unless one of them is.
func (c *client) send(method, path, body string, headers ...string) answer {
	c.tb.Helper()
	res := c.open(c.tb.Context(), method, path, body, headers...)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.tb.Fatal(err)
	}
	return answer{res.StatusCode, string(b), res.Header}
}

func (c *client) open(ctx context.Context, method, path, body string, headers ...string) *http.Response {
	c.tb.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url, content)
	if err != nil {
		c.tb.Fatal(err)
	}
	// As it is, without cleaning.
	raw, query, _ := strings.Cut(path, "?")
	req.URL.Opaque = strings.TrimPrefix(c.url, "http:") + raw
	req.URL.RawQuery = query
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.hc.Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	return res
}

// do sends one command as JSON and wants it to succeed.
func (c *client) do(command string) string {
	c.tb.Helper()
	a := c.send("POST", "/", command)
	if a.status != http.StatusOK {
		c.tb.Fatalf("%s: %d %s", command, a.status, a.body)
	}
	return a.body
}

// listener reads a stream of events.
type listener struct {
	tb     testing.TB
	lines  chan string // data lines only; closed at the end
	cancel func()
}

func (c *client) listen(path string, headers ...string) *listener {
	c.tb.Helper()
	ctx, cancel := context.WithCancel(c.tb.Context())
	res := c.open(ctx, "POST", path, "[]", append([]string{"Accept", "text/event-stream", "Upstash-Encoding", "base64"}, headers...)...)
	if ct := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || ct != "text/event-stream" {
		b, _ := io.ReadAll(res.Body)
		c.tb.Fatalf("%s: %d %s %s", path, res.StatusCode, ct, b)
	}
	l := &listener{c.tb, make(chan string, 1000), cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(l.lines)
		defer func() { _ = res.Body.Close() }()
		for sc := bufio.NewScanner(res.Body); sc.Scan(); {
			if line := sc.Text(); strings.HasPrefix(line, "data: ") {
				l.lines <- line
			}
		}
	}()
	c.tb.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

// next is the next event.
func (l *listener) next() string {
	l.tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case line, ok := <-l.lines:
		if !ok {
			l.tb.Fatal("the stream has ended")
		}
		return line
	case <-timer.C:
		l.tb.Fatalf("waited %v for an event", patience)
		return ""
	}
}

func (l *listener) want(line string) {
	l.tb.Helper()
	if got := l.next(); got != line {
		l.tb.Fatalf("got %q, want %q", got, line)
	}
}

var bg = context.Background()
