package e2e

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/session"
)

var _ scs.CtxStore = (*session.SCS)(nil)

// A SessionManager of scs with the store of package session, a browser with cookies
// in front of it: what is put is there at the next request, also under the token
// after the log-in and not under the one before, until the log-out; Redis is told
// no token.
func TestSessionManagerOfSCS(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short tests start no server")
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	key, err := session.NewKey("k", secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() conn.Conn{
		"embedded": func() conn.Conn {
			c, err := embedded.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return c
		},
		"redis": func() conn.Conn { return openBeside(t, redistest.Start(t).URL(), nil) },
	} {
		for keys, options := range map[string]session.Options{
			"clear":  {Namespace: "clear"},
			"sealed": {Namespace: "sealed", Keys: []session.Key{key}},
		} {
			t.Run(name+"/"+keys, func(t *testing.T) {
				t.Parallel()
				c := open()
				store, err := session.NewSCS(c, options)
				if err != nil {
					t.Fatal(err)
				}
				browse(t, c, store)
			})
		}
	}
}

func browse(t *testing.T, c conn.Conn, store scs.Store) {
	// As scs.New makes it, but for the store in memory and its goroutine.
	manager := &scs.SessionManager{
		Store: store, Lifetime: time.Hour, Codec: scs.GobCodec{},
		Cookie:    scs.SessionCookie{Name: "session", Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode},
		ErrorFunc: func(_ http.ResponseWriter, _ *http.Request, err error) { t.Error(err) },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/buy", func(_ http.ResponseWriter, r *http.Request) {
		manager.Put(r.Context(), "items", manager.GetInt(r.Context(), "items")+1)
	})
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) {
		if err := manager.RenewToken(r.Context()); err != nil {
			t.Error(err)
		}
		manager.Put(r.Context(), "user", "42")
	})
	mux.HandleFunc("/logout", func(_ http.ResponseWriter, r *http.Request) {
		if err := manager.Destroy(r.Context()); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%d %s", manager.GetInt(r.Context(), "items"), manager.GetString(r.Context(), "user"))
	})
	server := httptest.NewTLSServer(manager.LoadAndSave(mux))
	t.Cleanup(server.Close)
	client := server.Client()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client.Jar = jar
	visit := func(path string, cookies ...*http.Cookie) (body string, token *http.Cookie) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		visitor := *client
		if len(cookies) > 0 { // somebody else
			visitor.Jar = nil
			r.AddCookie(cookies[0])
		}
		res, err := visitor.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, res.Status, err)
		}
		if now := jar.Cookies(r.URL); len(now) > 0 {
			token = now[0]
		}
		return string(b), token
	}
	shows := func(want string, cookies ...*http.Cookie) {
		t.Helper()
		if got, _ := visit("/", cookies...); got != want {
			t.Errorf("the session holds %q, want %q", got, want)
		}
	}
	shows("0 ")
	visit("/buy")
	_, before := visit("/buy")
	shows("2 ")
	_, after := visit("/login")
	shows("2 42")
	shows("2 42", after)
	shows("0 ", before)
	for _, token := range []string{before.Value, after.Value} {
		err := c.Scan(t.Context(), "*"+token+"*", func(keys []string) error {
			return fmt.Errorf("%d keys show a token", len(keys))
		})
		if err != nil {
			t.Error(err)
		}
	}
	visit("/logout")
	shows("0 ")
	shows("0 ", after)
}
