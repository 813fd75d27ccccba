package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/session"
)

// site is an application over TLS, and a browser.
type site struct {
	*testing.T
	store  *session.Store[cart]
	m      *session.Middleware[cart]
	server *httptest.Server
	client *http.Client
	conn   *cuttable
}

func newSite(t *testing.T, o session.Options, co session.CookieOptions) *site {
	t.Helper()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	s := &site{T: t, conn: &cuttable{Conn: engine.Connect()}}
	s.store = store(t, s.conn, o)
	if s.m, err = session.NewMiddleware(s.store, co); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.server = httptest.NewTLSServer(s.m.Wrap(mux))
	t.Cleanup(s.server.Close)
	s.client = s.server.Client()
	if s.client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	handle := func(pattern string, fn func(h *session.Handle[cart], w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := fn(s.m.Of(r), w, r); err != nil {
				status := http.StatusInternalServerError
				switch {
				case errors.Is(err, session.ErrNotFound):
					status = http.StatusUnauthorized
				case errors.Is(err, session.ErrUnavailable):
					status = http.StatusServiceUnavailable
				}
				http.Error(w, err.Error(), status)
			}
		})
	}
	more := func(c *cart) error { c.Items++; return nil }
	handle("/nothing", func(_ *session.Handle[cart], w http.ResponseWriter, _ *http.Request) error { return nil })
	handle("/get", func(h *session.Handle[cart], w http.ResponseWriter, r *http.Request) error {
		one, err := h.Get(r.Context())
		if err == nil {
			fmt.Fprintf(w, "%s %d", one.User, one.Data.Items)
		}
		return err
	})
	handle("/add", func(h *session.Handle[cart], _ http.ResponseWriter, r *http.Request) error {
		return h.Update(r.Context(), more)
	})
	handle("/login", func(h *session.Handle[cart], _ http.ResponseWriter, r *http.Request) error {
		return h.Login(r.Context(), r.FormValue("user"), more)
	})
	handle("/logout", func(h *session.Handle[cart], _ http.ResponseWriter, r *http.Request) error {
		return h.Logout(r.Context())
	})
	handle("/many", func(h *session.Handle[cart], w http.ResponseWriter, r *http.Request) error {
		for range 3 {
			if err := errors.Join(h.Update(r.Context(), more), h.Login(r.Context(), "42", nil)); err != nil {
				return err
			}
		}
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "x")
		w.WriteHeader(http.StatusTeapot)
		return nil
	})
	handle("/late", func(h *session.Handle[cart], w http.ResponseWriter, r *http.Request) error {
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		fmt.Fprintln(w, errors.Is(h.Update(r.Context(), more), session.ErrHeaderWritten),
			errors.Is(h.Login(r.Context(), "42", nil), session.ErrHeaderWritten), h.Logout(r.Context()))
		return nil
	})
	handle("/hijack", func(h *session.Handle[cart], w http.ResponseWriter, r *http.Request) error {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.WriteString(c, "HTTP/1.1 299 Mine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return err
	})
	return s
}

// get returns the status, the body, and the cookie that was set, if one was.
func (s *site) get(path string) (status int, body string, cookie *http.Cookie) {
	s.Helper()
	res, err := s.client.Get(s.server.URL + path)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	set := res.Cookies()
	if len(set) > 1 {
		s.Errorf("%s sets %d cookies", path, len(set))
	}
	if shared := res.Header.Get("Cache-Control"); (len(set) == 1) != (shared == `no-cache="Set-Cookie"`) {
		s.Errorf("%s: Cache-Control %q", path, shared)
	}
	if len(set) == 1 {
		cookie = set[0]
	}
	return res.StatusCode, string(b), cookie
}

func (s *site) want(path string, status int, body string) *http.Cookie {
	s.Helper()
	got, text, cookie := s.get(path)
	if got != status || body != "" && text != body {
		s.Errorf("%s: %d %q, want %d %q", path, got, text, status, body)
	}
	return cookie
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	if s.want("/nothing", 200, "") != nil {
		t.Error("a request that asks for nothing gets a cookie")
	}
	s.want("/get", 401, "")
	first := s.want("/add", 200, "")
	if first == nil || first.Name != "__Host-session" || !first.Secure || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode ||
		first.Path != "/" || first.Domain != "" || first.MaxAge != 7*24*3600 {
		t.Fatalf("cookie %v", first)
	}
	if s.want("/add", 200, "") != nil {
		t.Error("an update sets a cookie again")
	}
	s.want("/get", 200, " 2")
	second := s.want("/login?user=42", 200, "")
	if second == nil || second.Value == first.Value {
		t.Fatal("the id stays when somebody logs in")
	}
	gone(t, s.store, session.ID(first.Value))
	s.want("/get", 200, "42 3")
	if n, err := s.store.DestroyAll(soon(t), "42"); n != 1 || err != nil {
		t.Error(n, err)
	}
	s.want("/get", 401, "")
	s.want("/login?user=42", 200, "")
	s.want("/get", 200, "42 1")
	if c := s.want("/logout", 200, ""); c == nil || c.MaxAge != -1 || c.Value != "" {
		t.Errorf("cookie %v", c)
	}
	s.want("/get", 401, "")
	s.want("/logout", 200, "")
	s.want("/login?user=", 500, "")

	if c := s.want("/many", 202, "x"); c == nil {
		t.Error("no cookie")
	}
	s.want("/get", 200, "42 3")
	if n, err := s.store.Count(soon(t), "42"); n != 1 || err != nil {
		t.Errorf("%d sessions, %v", n, err)
	}
	s.want("/late", 200, "false true <nil>\n") // there was a session to update
	s.want("/get", 401, "")
	s.want("/late", 200, "true true <nil>\n")
	s.want("/hijack", 299, "")
}

func TestMiddlewareAndAnOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	s.want("/login?user=42", 200, "")
	s.conn.cut.Store(true)
	s.want("/get", 503, "")
	s.want("/add", 503, "")
	if s.want("/login?user=43", 503, "") != nil {
		t.Error("a cookie without a session")
	}
	s.conn.cut.Store(false)
	s.want("/get", 200, "42 1")
	s.conn.cut.Store(true)
	if c := s.want("/logout", 503, ""); c == nil || c.MaxAge != -1 {
		t.Errorf("cookie %v; the browser forgets all the same", c)
	}
}

// Cookies that are not ours are as none, and cost nothing.
func TestForeignCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	one := create(t, s.store, "42", cart{Items: 5})
	for value, status := range map[string]int{
		"x":                                   401,
		strings.Repeat("a", 59):               401,
		strings.Repeat("a", 4000):             401,
		"x; __Host-session=" + string(one.ID): 200, // one of the host beside ours comes first
	} {
		r := httptest.NewRequest(http.MethodGet, "/get", nil)
		r.Header.Set("Cookie", "__Host-session="+value)
		w := httptest.NewRecorder()
		s.server.Config.Handler.ServeHTTP(w, r)
		if w.Code != status || w.Header().Get("Vary") != "Cookie" {
			t.Errorf("%.80s: %d, Vary %q", value, w.Code, w.Header().Get("Vary"))
		}
	}
	s.conn.cut.Store(true)
	r := httptest.NewRequest(http.MethodGet, "/get", nil)
	r.Header.Set("Cookie", "__Host-session=x")
	w := httptest.NewRecorder()
	s.server.Config.Handler.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("%d: Redis was asked for an id that is none", w.Code)
	}
}

func TestMiddlewareTouches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		c := &counting{Conn: engine.Connect()}
		s := store(t, c, session.Options{IdleTimeout: time.Hour})
		m, err := session.NewMiddleware(s, session.CookieOptions{})
		if err != nil {
			t.Fatal(err)
		}
		one := create(t, s, "42", cart{})
		evals := func() int {
			before := c.evals
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: session.DefaultCookieName, Value: string(one.ID)})
			m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				for range 2 {
					if _, err := m.Of(r).Get(r.Context()); err != nil {
						t.Error(err)
					}
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
			return c.evals - before
		}
		for i, tt := range []struct {
			wait    time.Duration
			touches int
		}{{0, 0}, {3 * time.Minute, 0}, {time.Minute, 1}, {0, 0}, {59 * time.Minute, 1}, {59 * time.Minute, 1}} {
			time.Sleep(tt.wait)
			if got := evals(); got != tt.touches {
				t.Errorf("%d: %d touches, want %d", i, got, tt.touches)
			}
		}
	})
}

// counting counts scripts.
type counting struct {
	conn.Conn
	evals int
}

func (c *counting) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	c.evals++
	return c.Conn.Eval(ctx, s, keys, args)
}

func TestCookieOptions(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	for field, o := range map[string]session.CookieOptions{
		"Name or Domain": {Name: "a b"},
		"Name":           {Name: "__Host-x", Domain: "example.org"},
		"Name ":          {Name: "__Host-x", Insecure: true},
		"Name  ":         {Name: "__Secure-x", Insecure: true},
		"SameSite":       {SameSite: 9},
		"SameSite ":      {SameSite: http.SameSiteNoneMode, Insecure: true},
	} {
		var oe *session.OptionError
		if _, err := session.NewMiddleware(s.store, o); !errors.As(err, &oe) || oe.Field != "CookieOptions."+strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := session.NewMiddleware[cart](nil, session.CookieOptions{}); err == nil {
		t.Error("no store")
	}
	plain := newSite(t, session.Options{}, session.CookieOptions{Insecure: true, SessionOnly: true, SameSite: http.SameSiteStrictMode})
	if c := plain.want("/add", 200, ""); c == nil || c.Name != "session" || c.Secure || c.MaxAge != 0 || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v", c)
	}
}

func TestWithoutMiddleware(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	h := s.m.Of(r)
	_, err := h.Get(r.Context())
	for _, err := range []error{err, h.Update(r.Context(), nil), h.Login(r.Context(), "42", nil), h.Logout(r.Context())} {
		if !errors.Is(err, session.ErrNoMiddleware) {
			t.Error(err)
		}
	}
}

// A bare writer, as tests and other middleware have it.
type bare struct{ http.ResponseWriter }

func TestWritersThatCanLess(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Options{}, session.CookieOptions{})
	s.m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("flush: %v", err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("hijack: %v", err)
		}
		if n, err := io.Copy(w, bufio.NewReader(strings.NewReader("body"))); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})).ServeHTTP(bare{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil))
}
