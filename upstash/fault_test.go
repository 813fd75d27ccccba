package upstash_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/upstash"
)

// faulty is a gateway that a test can put something else in front of.
type faulty struct {
	url      string
	instead  atomic.Pointer[http.HandlerFunc]
	requests atomic.Int64 // that were answered by instead
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	behind := serve(t, engine(t))
	f := &faulty{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := f.instead.Load(); h != nil {
			f.requests.Add(1)
			(*h)(w, r)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, behind+r.URL.EscapedPath(), r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return
		}
		defer func() { _ = res.Body.Close() }()
		w.Header().Set("Upstash-Sync-Token", res.Header.Get("Upstash-Sync-Token"))
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(func() {
		srv.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	f.url = srv.URL
	return f
}

func (f *faulty) answer(h http.HandlerFunc) {
	f.requests.Store(0)
	f.instead.Store(&h)
}

// open opens a handle without heartbeats, so that requests can be counted.
func (f *faulty) open(t *testing.T, opts upstash.Options) *upstash.Conn {
	t.Helper()
	opts.Heartbeat = -1
	c, err := upstash.Open(t.Context(), f.url, token, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// half announces more than it sends.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "$90\r\nhalf")
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	c := f.open(t, upstash.Options{MaxResponse: 1 << 20})
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		code    string // "" where the error is ErrUnavailable
		again   bool   // reads are sent again
		inError string
	}{
		{"500", text(500, `{"error":"ERR leaked secret-value"}`), "", false, "500"},
		{"503 in RESP", text(503, "-ERR the Redis server is unavailable\r\n"), "", false, "503"},
		{"429", text(429, `{"error":"ERR too many"}`), "", false, "429"},
		{"a page", text(404, "<html>"), "", false, "404"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, "", false, "redirects"},
		{"garbage", text(200, "what?"), "", false, "not one to the commands"},
		{"nothing", text(200, ""), "", false, "not one to the commands"},
		{"too much", text(200, ":1\r\n:2\r\n:3\r\n:4\r\n"), "", false, "not one to the commands"},
		{"an end too soon", text(200, "$5\r\nab"), "", false, "not one to the commands"},
		{"an endless array", text(200, "*9999999999\r\n"), "", false, "not one to the commands"},
		{"deep arrays", text(200, strings.Repeat("*1\r\n", 10_000)+":1\r\n"), "", false, "not one to the commands"},
		{"JSON", text(200, `{"result":"eA=="}`), "", false, "JSON"},
		{"a large one", text(200, "$2000000\r\n"+strings.Repeat("x", 2_000_000)+"\r\n"), "", false, "MaxResponse"},
		{"half", half, "", true, ""},
		{"a cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", true, ""},
		{"the token", text(401, `{"error":"WRONGPASS invalid or missing auth token"}`), "WRONGPASS", false, ""},
		{"an error", text(400, "-WRONGTYPE it is\r\n"), "WRONGTYPE", false, ""},
		{"the gateway's word", text(400, "-ERR the Redis server did not answer in time\r\n"), "", false, "in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get, set := conn.Key("GET", "secret-key"), conn.Key("SET", "secret-key", "secret-value")
			for what, call := range map[string]func() error{
				"a read":  func() error { _, err := c.Do(t.Context(), get); return err },
				"a write": func() error { _, err := c.Do(t.Context(), set); return err },
				"reads":   func() error { return c.Pipeline(t.Context(), get, get)[1].Err },
				"writes":  func() error { return c.Pipeline(t.Context(), get, set)[1].Err },
				"a script": func() error {
					_, err := c.Eval(t.Context(), conn.NewScript("return 1"), []string{"k"}, nil)
					return err
				},
			} {
				f.answer(tt.answer)
				err := call()
				if err == nil || conn.Code(err) != tt.code || errors.Is(err, conn.ErrUnavailable) != (tt.code == "") {
					t.Fatalf("%s: got %v", what, err)
				}
				if !strings.Contains(err.Error(), tt.inError) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: got %q, want %q and no secrets", what, err, tt.inError)
				}
				want := int64(1)
				if tt.again && strings.HasPrefix(what, "a read") || tt.again && what == "reads" {
					want += upstash.DefaultRetries
				}
				if got := f.requests.Load(); got != want {
					t.Errorf("%s: %d requests, want %d", what, got, want)
				}
			}
			f.answer(tt.answer)
			r := c.Pipeline(t.Context(), conn.Cmd("MULTI"), conn.Key("SET", "k", "v"), conn.Cmd("EXEC"))
			if n := f.requests.Load(); r[2].Err == nil || n != 1 {
				t.Errorf("a transaction: %+v after %d requests", r, n)
			}
		})
	}
	f.instead.Store(nil)
	if v, err := c.Do(t.Context(), conn.Key("GET", "secret-key")); err != nil || !v.IsNil() {
		t.Errorf("afterwards: %+v, %v", v, err)
	}
}

// A server that never answers is given up, in all the ways in which a call ends.
func TestSilence(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	arrived := make(chan struct{}, 100)
	silent := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http then notices when the client goes
		arrived <- struct{}{}
		<-r.Context().Done()
	}
	wait := func(t *testing.T) {
		t.Helper()
		select {
		case <-arrived:
		case <-time.After(patience):
			t.Fatal("no request")
		}
	}
	short, long := f.open(t, upstash.Options{Timeout: 200 * time.Millisecond}), f.open(t, upstash.Options{Timeout: time.Hour})
	f.answer(silent)

	_, err := short.Do(t.Context(), conn.Key("GET", "k"))
	if !errors.Is(err, conn.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("Do returned %v", err)
	}
	wait(t)
	err = short.Subscribe(t.Context(), conn.Subscription{Channels: []string{"c"}}, func(conn.Message) {})
	if !errors.Is(err, conn.ErrUnavailable) || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("Subscribe returned %v", err)
	}
	wait(t)

	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, err := long.Do(ctx, conn.Key("SET", "k", "v")); done <- err }()
	wait(t)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("Do returned %v", err)
	}
	go func() { _, err := long.Do(t.Context(), conn.Key("SET", "k", "v")); done <- err }()
	wait(t)
	if err := long.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, conn.ErrClosed) {
		t.Errorf("Do returned %v", err)
	}
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	f := newFaulty(t)
	c := f.open(t, upstash.Options{MaxResponse: 1 << 20})
	const first = ": ping\n\ndata: subscribe,c,1\n\n"
	for _, tt := range []struct {
		name, body, inError string
		status              int
		ready               bool
		messages            int
	}{
		{"in good order", first + "data: message,c,a,b\n\nevent: x\ndata: message,d,no\n\n", "ended the stream", 200, true, 1},
		{"before it is confirmed", ": ping\n\ndata: message,c,no\n\n", "ended the stream", 200, false, 0},
		{"with a line that has no end", first + strings.Repeat("x", 2<<20), "MaxResponse", 200, true, 0},
		{"with a status", "no", "502", 502, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.answer(text(tt.status, tt.body))
			ready, messages := false, 0
			err := c.Subscribe(t.Context(), conn.Subscription{Channels: []string{"c"}, Ready: func() { ready = true }}, func(m conn.Message) {
				messages++
				if m.Channel != "c" || m.Payload != "a,b" {
					t.Errorf("got %+v", m)
				}
			})
			if !errors.Is(err, conn.ErrUnavailable) || !strings.Contains(err.Error(), tt.inError) {
				t.Errorf("got %v, want %q", err, tt.inError)
			}
			if ready != tt.ready || messages != tt.messages {
				t.Errorf("ready %v, %d messages", ready, messages)
			}
		})
	}
	f.answer(text(400, `{"error":"NOPERM no"}`))
	if err := c.Subscribe(t.Context(), conn.Subscription{Patterns: []string{"c*"}}, func(conn.Message) {}); conn.Code(err) != "NOPERM" {
		t.Errorf("got %v", err)
	}
}
