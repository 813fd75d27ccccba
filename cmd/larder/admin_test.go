package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/telemetry"
)

var adminLine = regexp.MustCompile(`metrics at (http\S+)/metrics`)

// adminURL is where a running "larder serve" tells about itself.
func (s *served) adminURL() string {
	s.t.Helper()
	m := adminLine.FindStringSubmatch(s.errs.String())
	if m == nil {
		s.t.Fatalf("no metrics are served: %s", s.errs)
	}
	return m[1]
}

// fetch asks for a page; an empty token is not sent.
func fetch(t *testing.T, hc *http.Client, url, host, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestServeTellsAboutItself(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"embedded": "embedded:", "redis": redistest.Shared(t).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServe(t, nil, "--redis", redis, "--admin", "127.0.0.1:0")
			url := s.adminURL()
			for path, want := range map[string]string{
				"/": "/metrics", "/healthz": "ok\n", "/metrics": `larder_build_info{service="larder-serve",`,
			} {
				if code, body := fetch(t, s.hc, url+path, "", ""); code != 200 || !strings.Contains(body, want) {
					t.Errorf("%s: %d %s", path, code, body)
				}
			}
			if code, _ := fetch(t, s.hc, url+"/metrics", "evil.example", ""); code != http.StatusForbidden {
				t.Errorf("a name of somebody else: %d", code)
			}
			if code, _ := fetch(t, s.hc, url+"/nothing", "", ""); code != http.StatusNotFound {
				t.Errorf("an unknown page: %d", code)
			}
			s.cancel()
			if code := <-s.done; code != 0 {
				t.Errorf("exit %d: %s", code, s.errs)
			}
		})
	}
}

func TestAdminOff(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--redis", "embedded:", "--admin", "off")
	s.cancel()
	if code := <-s.done; code != 0 || strings.Contains(s.errs.String(), "metrics at") {
		t.Errorf("exit %d: %s", code, s.errs)
	}
}

func TestAdminFlags(t *testing.T) {
	t.Setenv("LARDER_TOKEN", "")
	outcome(t, 2, "", "--admin 0.0.0.0:0 can be reached from elsewhere", "serve", "--redis", "embedded:", "--admin", "0.0.0.0:0")
	outcome(t, 1, "", "--admin: listen", "serve", "--redis", "embedded:", "--admin", "127.0.0.1:not-a-port")
}

// silent is a server that does not answer.
type silent struct{}

func (silent) Do(context.Context, conn.Command) (conn.Value, error) {
	return conn.Value{}, conn.ErrUnavailable
}

// Beyond loopback every page needs the token; /healthz says when Redis is away.
func TestAdminGuard(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(nil, telemetry.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Close(context.Background()) })
	srv := httptest.NewServer(newAdmin(tel, silent{}, "hush", http.NotFoundHandler()))
	t.Cleanup(srv.Close)
	for token, want := range map[string]int{"": 401, "wrong": 401, "hush": 200} {
		if code, body := fetch(t, srv.Client(), srv.URL+"/metrics", "evil.example", token); code != want {
			t.Errorf("token %q: %d %s, want %d", token, code, body, want)
		}
	}
	if code, _ := fetch(t, srv.Client(), srv.URL+"/healthz", "", "hush"); code != http.StatusServiceUnavailable {
		t.Errorf("Redis is away: %d", code)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("anybody", "hush")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("a browser's password: %d", res.StatusCode)
	}
}
