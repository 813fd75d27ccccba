package upstash_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/upstash"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	url := serve(t, engine(t))
	for _, tt := range []struct {
		name, url, token string
		opts             upstash.Options
		inError          string
	}{
		{"no URL", "", token, upstash.Options{}, "URL is empty"},
		{"another scheme", "redis://secret", token, upstash.Options{}, "https"},
		{"no host", "https://", token, upstash.Options{}, "host"},
		{"a user", "https://secret:secret@host", token, upstash.Options{}, "token by itself"},
		{"a query", "https://host/?_token=secret", token, upstash.Options{}, "query"},
		{"no token", url, "", upstash.Options{}, "token is empty"},
		{"a line end", url, "secret\n", upstash.Options{}, "byte 6"},
		{"a wrong token", url, "secret-other", upstash.Options{}, "check the token"},
		{"Timeout", url, token, upstash.Options{Timeout: -1}, "Options.Timeout is -1ns; it must be positive"},
		{"Retries", url, token, upstash.Options{Retries: 11}, "Options.Retries is 11; it must be 1 to 10"},
		{"MaxRequest", url, token, upstash.Options{MaxRequest: -1}, "Options.MaxRequest is -1"},
		{"MaxResponse", url, token, upstash.Options{MaxResponse: -1}, "Options.MaxResponse is -1"},
		{"nobody", "http://127.0.0.1:1", token, upstash.Options{Retries: -1}, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := upstash.Open(t.Context(), tt.url, tt.token, tt.opts)
			if err == nil {
				_ = c.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), tt.inError) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %q, want %q and no secrets", err, tt.inError)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := upstash.Open(ctx, url, token, upstash.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestFromEnv(t *testing.T) {
	url := serve(t, engine(t))
	for _, tt := range []struct{ url, token, want string }{
		{"", token, upstash.VariableURL},
		{url, "", upstash.VariableToken},
		{url, token, ""},
	} {
		t.Setenv(upstash.VariableURL, tt.url)
		t.Setenv(upstash.VariableToken, tt.token)
		c, err := upstash.FromEnv(t.Context(), upstash.Options{})
		if err == nil {
			_ = c.Close()
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

// hosted answers as a service might that spoils bytes in JSON, answers pipelines
// in JSON and hides who it is.
func hosted(t *testing.T) *upstash.Conn {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := r.Header.Get("Upstash-Sync-Token"); got != "" && got != "latest" {
			t.Errorf("the sync token is %q", got)
		}
		w.Header().Set("Upstash-Sync-Token", "latest")
		switch {
		case r.URL.Path == "/pipeline" && r.Header.Get("Upstash-Encoding") == "base64":
			_, _ = io.WriteString(w, `[{"result":"IyBTZXJ2ZXI="},{"result":"cm9sZTptYXN0ZXI="}]`)
		case r.URL.Path == "/pipeline":
			_, _ = io.WriteString(w, `[{"result":"# Server"},{"result":"role:master"}]`)
		case strings.Contains(string(body), "ECHO"):
			_, _ = io.WriteString(w, "$6\r\nlarder\r\n")
		default:
			if r.Header.Get("Upstash-Sync-Token") != "latest" {
				t.Error("the sync token was not sent back")
			}
			_, _ = io.WriteString(w, "+OK\r\n")
		}
	}))
	t.Cleanup(srv.Close)
	c, err := upstash.Open(t.Context(), srv.URL, token, upstash.Options{Heartbeat: -1, MaxRequest: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestHosted(t *testing.T) {
	t.Parallel()
	c := hosted(t)
	if id, known := c.Incarnation("k"); !known || id == 0 {
		t.Errorf("the incarnation is %x, %v", id, known)
	}
	if _, err := c.Do(t.Context(), conn.Key("SET", "k", "é")); err != nil {
		t.Errorf("UTF-8: %v", err)
	}
	tx := c.Pipeline(t.Context(), conn.Cmd("MULTI"), conn.Key("SET", "k", "\xff"), conn.Cmd("EXEC"))
	_, err := c.Do(t.Context(), conn.Key("SET", "k", "\xff"))
	_, large := c.Do(t.Context(), conn.Key("SET", "k", strings.Repeat("x", 1000)))
	for what, got := range map[string]error{"UTF-8": err, "Options.MaxRequest": large} {
		if got == nil || errors.Is(got, conn.ErrUnavailable) || !strings.Contains(got.Error(), what) {
			t.Errorf("got %v, want %s", got, what)
		}
	}
	for i := range tx {
		if tx[i].Err == nil {
			t.Errorf("result %d of the transaction is %+v", i, tx[i])
		}
	}
}

// A restart, and a server that is gone, are noticed by the heartbeat.
func TestIncarnationFollows(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c, err := upstash.Open(t.Context(), serve(t, redis(t, s.URL())), token, upstash.Options{Heartbeat: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	before, _ := c.Incarnation("k")
	await := func(what string, ok func(id uint64, known bool) bool) {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for end := time.After(2 * patience); !ok(c.Incarnation("k")); {
			select {
			case <-tick.C:
			case <-end:
				t.Fatalf("waited for %s", what)
			}
		}
	}
	s.Stop()
	await("the loss", func(_ uint64, known bool) bool { return !known })
	s.Restart()
	await("another life", func(id uint64, known bool) bool { return known && id != before })
}

// A handle does not show its token, however it is printed.
func TestTokenIsNotPrinted(t *testing.T) {
	t.Parallel()
	c, ok := opener(serve(t, engine(t)))(t).(*upstash.Conn)
	if !ok {
		t.Fatal("no Conn")
	}
	defer func() { _ = c.Close() }()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, token) || !strings.Contains(text, "upstash http") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
