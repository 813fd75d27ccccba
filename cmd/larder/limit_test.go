package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redistest"
)

// hangUp bounds the wait for the server to end a connection: many times its limits.
const hangUp = 2 * time.Minute

// dialServe opens a bare connection to a server.
func dialServe(t *testing.T, s *served) net.Conn {
	t.Helper()
	_, addr, _ := strings.Cut(s.url, "://")
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(hangUp)); err != nil {
		t.Fatal(err)
	}
	return c
}

// A client that never ends its header, or its handshake, is cut off (slowloris), and
// others are served meanwhile.
func TestServeEndsSlowHeaders(t *testing.T) {
	t.Parallel()
	plain := startServe(t, nil, "--redis", "embedded:")
	cert, key, pool := redistest.Certificate(t, t.TempDir())
	secure := startServe(t, pool, "--redis", "embedded:", "--tls-cert", cert, "--tls-key", key)
	for name, tt := range map[string]struct {
		s    *served
		sent string
	}{
		"half a line":        {plain, "GET /get/k HTT"},
		"half a header":      {plain, "GET /get/k HTTP/1.1\r\nHost: x\r\nX-A: "},
		"nothing":            {plain, ""},
		"no handshake":       {secure, ""},
		"half a handshake":   {secure, "\x16\x03\x01\x02\x00\x01\x00"},
		"HTTP instead of it": {secure, "GET / HTT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dialServe(t, tt.s)
			if _, err := io.WriteString(c, tt.sent); err != nil {
				t.Fatal(err)
			}
			tt.s.wantGet(tt.s.token, "/ping", 200, `{"result":"PONG"}`)
			if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("not cut off in %v", hangUp)
			}
		})
	}
}

// What a request holds is bounded. That slow bodies are is shown by the gateway's own
// tests, with a short limit.
func TestServeBoundsRequests(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--redis", "embedded:", "--max-request", "10000", "--max-pipeline", "3")
	long := strings.Repeat("x", 2*maxHeaderBytes)
	for name, tt := range map[string]struct {
		head, body string
		status     int
	}{
		"a long path":        {"GET /get/" + long + " HTTP/1.1\r\n", "", http.StatusRequestHeaderFieldsTooLarge},
		"a long query":       {"GET /get/k?_token=" + long + " HTTP/1.1\r\n", "", http.StatusRequestHeaderFieldsTooLarge},
		"a long field":       {"GET /get/k HTTP/1.1\r\nX-A: " + long + "\r\n", "", http.StatusRequestHeaderFieldsTooLarge},
		"many fields":        {"GET /get/k HTTP/1.1\r\n" + strings.Repeat("X-A: y\r\n", maxHeaderBytes/4), "", http.StatusRequestHeaderFieldsTooLarge},
		"a large body":       {"POST / HTTP/1.1\r\n", strings.Repeat("x", 20_000), http.StatusRequestEntityTooLarge},
		"a long pipeline":    {"POST /pipeline HTTP/1.1\r\n", `[["PING"],["PING"],["PING"],["PING"]]`, http.StatusBadRequest},
		"a long transaction": {"POST /multi-exec HTTP/1.1\r\n", `[["PING"],["PING"],["PING"],["PING"]]`, http.StatusBadRequest},
		"a long key":         {"POST / HTTP/1.1\r\n", `["GET","` + strings.Repeat("k", 9_000) + `"]`, http.StatusOK},
		"within the limits":  {"POST /pipeline HTTP/1.1\r\n", `[["PING"],["PING"],["PING"]]`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dialServe(t, s)
			go func() { // who is refused is not read to the end
				_, _ = fmt.Fprintf(c, "%sHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", tt.head, s.token, len(tt.body), tt.body)
			}()
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("%s, want %d", res.Status, tt.status)
			}
		})
	}
}

// Beyond --max-connections clients wait until another one goes; a server whose room is
// taken can still be shut down.
func TestServeBoundsConnections(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--redis", "embedded:", "--max-connections", "2")
	ask := func(c net.Conn) error {
		_, err := fmt.Fprintf(c, "GET /ping HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", s.token)
		return err
	}
	answer := func(c net.Conn) error {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
		}
		return err
	}
	first, second, third := dialServe(t, s), dialServe(t, s), dialServe(t, s)
	for _, c := range []net.Conn{first, second} {
		if err := errors.Join(ask(c), answer(c)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(third); err != nil {
		t.Fatal(err)
	}
	if err := third.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := answer(third); err == nil {
		t.Error("a third connection is served")
	}
	if err := errors.Join(third.SetReadDeadline(time.Now().Add(hangUp)), first.Close(), answer(third)); err != nil {
		t.Errorf("the third, after the first has gone: %v", err)
	}
	s.cancel()
	if code := <-s.done; code != exitOK {
		t.Errorf("exit %d\n%s", code, s.errs)
	}
}
