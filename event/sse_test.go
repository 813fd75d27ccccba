package event_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/event"
)

// stream is one client of an SSE handler.
type stream struct {
	testing.TB
	res  *http.Response
	scan *bufio.Scanner
}

func (s *stream) close() { _ = s.res.Body.Close() }

// next returns the lines of the next event, joined by "|".
func (s *stream) next() string {
	s.Helper()
	var lines []string
	for s.scan.Scan() {
		if s.scan.Text() == "" {
			return strings.Join(lines, "|")
		}
		lines = append(lines, s.scan.Text())
	}
	s.Fatalf("the stream has ended: %v", s.scan.Err())
	return ""
}

func (s *stream) want(event string) {
	s.Helper()
	if got := s.next(); got != event {
		s.Errorf("event %q, want %q", got, event)
	}
}

func serve[T any](t testing.TB, to *event.Topic[T], o event.SSEOptions) *httptest.Server {
	t.Helper()
	h, err := event.SSE(to, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		_ = to.Close() // lets the responses end
		server.Close()
	})
	return server
}

func connect(t testing.TB, url string, header ...string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(soon(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t, res, bufio.NewScanner(res.Body)}
	t.Cleanup(s.close)
	return s
}

func TestSSE(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c := open(t)
		to := topic[order](t, c, name(), event.Options{Durable: true})
		server := serve(t, to, event.SSEOptions{})
		a := connect(t, server.URL)
		a.want(":")
		if ct := a.res.Header.Get("Content-Type"); ct != "text/event-stream" || a.res.StatusCode != 200 {
			t.Errorf("%d, %s", a.res.StatusCode, ct)
		}
		first := publish(t, to, order{N: 1})
		second := publish(t, to, order{2, "a\nb"}, event.Named("paid"))
		a.want("id: " + first + `|data: {"N":1,"Name":""}`)
		a.want("id: " + second + `|event: paid|data: {"N":2,"Name":"a\nb"}`)
		a.close()
		third := publish(t, to, order{N: 3})
		for _, b := range []*stream{connect(t, server.URL, "Last-Event-ID", first), connect(t, server.URL+"?lastEventId="+first)} {
			b.want(":")
			b.want("id: " + second + `|event: paid|data: {"N":2,"Name":"a\nb"}`)
			b.want("id: " + third + `|data: {"N":3,"Name":""}`)
			b.close()
		}
		if bad := connect(t, server.URL, "Last-Event-ID", "x"); bad.res.StatusCode != 400 {
			t.Errorf("status %d", bad.res.StatusCode)
		}

		channel := name()
		plain := topic[order](t, c, channel, event.Options{Unsharded: true})
		d := connect(t, serve(t, plain, event.SSEOptions{}).URL, "Last-Event-ID", "what others gave")
		d.want(":")
		if _, err := c.Do(soon(t), conn.Cmd("PUBLISH", channel, "{\r\n}\r\n")); err != nil {
			t.Fatal(err)
		}
		d.want("data: {|data: }|data: ")
		eventually(t, "clients that are gone have left", func() bool { return to.Stats().Subscribers == 0 })
		if err := plain.Close(); err != nil {
			t.Error(err)
		}
		if d.scan.Scan() || d.scan.Err() != nil {
			t.Errorf("after Close: %q, %v", d.scan.Text(), d.scan.Err())
		}
	})
}

func TestSSEHeartbeatAndGap(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	to := topic[order](t, c, "orders", event.Options{Durable: true, MaxLen: 1})
	first := publish(t, to, order{N: 1})
	publish(t, to, order{N: 2})
	last := publish(t, to, order{N: 3})
	s := connect(t, serve(t, to, event.SSEOptions{Heartbeat: 20 * time.Millisecond}).URL, "Last-Event-ID", first)
	s.want(":")
	s.want(`event: gap|data: {"reason":"trimmed","missed":0}`)
	s.want("id: " + last + `|data: {"N":3,"Name":""}`)
	for range 3 {
		s.want(":")
	}
}

func TestSSELimits(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	to := topic[order](t, c, "orders", event.Options{})
	server := serve(t, to, event.SSEOptions{MaxClients: 3, MaxPerClient: 2, ClientKey: func(r *http.Request) string { return r.Header.Get("User") }})
	status := func(user string) (*stream, int) {
		s := connect(t, server.URL, "User", user)
		return s, s.res.StatusCode
	}
	first, _ := status("a")
	for _, tt := range []struct {
		user string
		want int
	}{{"a", 200}, {"a", 429}, {"b", 200}, {"b", 503}} {
		if _, got := status(tt.user); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.user, got, tt.want)
		}
	}
	first.close()
	eventually(t, "a place is free", func() bool { s, got := status("a"); s.close(); return got == 200 })
	res, err := http.Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
	for field, o := range map[string]event.SSEOptions{
		"Heartbeat": {Heartbeat: -1}, "WriteTimeout": {WriteTimeout: -1}, "MaxClients": {MaxClients: -1}, "MaxPerClient": {MaxPerClient: -1},
	} {
		var oe *event.OptionError
		if _, err := event.SSE(to, o); !errors.As(err, &oe) || oe.Field != "SSEOptions."+field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := event.SSE[order](nil, event.SSEOptions{}); err == nil {
		t.Error("no topic")
	}
}

// A client that does not read is cut, and costs nobody else anything.
func TestSSESlowClient(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	to := topic[order](t, c, "orders", event.Options{Durable: true, Buffer: 16, MaxBytes: 1 << 20})
	server := serve(t, to, event.SSEOptions{WriteTimeout: 100 * time.Millisecond})
	slow := connect(t, server.URL)
	slow.want(":")
	quick := subscribe(t, to)
	big := strings.Repeat("x", 1<<18)
	for i := range 40 {
		publish(t, to, order{N: i, Name: big})
		numbers(t, quick, i)
	}
	eventually(t, "the slow client is cut", func() bool { return to.Stats().Subscribers == 1 })
}

func TestSSEWithoutRedis(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	to := topic[order](t, c, "orders", event.Options{ConnectTimeout: 50 * time.Millisecond})
	server := serve(t, to, event.SSEOptions{})
	_ = c.Close()
	if s := connect(t, server.URL); s.res.StatusCode != 503 || s.res.Header.Get("Retry-After") == "" {
		t.Errorf("status %d", s.res.StatusCode)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := httptest.NewRecorder()
	server.Config.Handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}
