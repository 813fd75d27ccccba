// Session keeps who is logged in, behind a cookie.
//
// The habit it replaces:
//
//	const sessionId = crypto.randomUUID();
//	await redis.set(`session:${sessionId}`, session, { ex: 60 * 60 * 24 * 7 });
//
// There the key is the secret, so whoever sees a dump, a MONITOR or a slow log is
// logged in as everybody; two requests that write the whole session lose each
// other's changes; and nobody knows which sessions a user has. Here Redis holds a
// hash of the id, a change is a function that is applied to what is there, the id
// changes when somebody logs in, and a user can be logged out everywhere at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/larder-go/larder/examples/patterns/internal/server"
	"github.com/larder-go/larder/session"
)

// Cart is what a session holds.
type Cart struct{ Items int }

func routes(m *session.Middleware[Cart]) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s, err := m.Of(r).Get(r.Context())
		switch {
		case errors.Is(err, session.ErrNotFound):
			http.Error(w, "nobody", http.StatusUnauthorized)
		case err != nil: // an outage is not a logout
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			fmt.Printf("  user %q has %d items\n", s.User, s.Data.Items)
		}
	})
	mux.HandleFunc("/buy", func(_ http.ResponseWriter, r *http.Request) {
		check(m.Of(r).Update(r.Context(), func(c *Cart) error { c.Items++; return nil }))
	})
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) {
		check(m.Of(r).Login(r.Context(), "pattern-ann", nil))
	})
	return m.Wrap(mux)
}

func main() {
	ctx := context.Background()
	c, err := server.Open(ctx)
	check(err)
	defer c.Close()
	sessions, err := session.New[Cart](c, session.Options{Namespace: "pattern-session"})
	check(err)
	defer sessions.Close()
	m, err := session.NewMiddleware(sessions, session.CookieOptions{})
	check(err)
	_, err = sessions.DestroyAll(ctx, "pattern-ann") // of the last run
	check(err)

	site := httptest.NewTLSServer(routes(m)) // the cookie is for secure origins only
	defer site.Close()
	browser := site.Client()
	browser.Jar, err = cookiejar.New(nil)
	check(err)
	for _, path := range []string{"/", "/buy", "/buy", "/", "/login", "/buy", "/"} {
		res, err := browser.Get(site.URL + path)
		check(err)
		res.Body.Close()
		fmt.Printf("%-6s -> %d, a new cookie: %v\n", path, res.StatusCode, len(res.Cookies()) > 0)
	}
	n, err := sessions.DestroyAll(ctx, "pattern-ann")
	check(err)
	res, err := browser.Get(site.URL)
	check(err)
	res.Body.Close()
	fmt.Printf("logged out everywhere (%d) -> %d\n", n, res.StatusCode)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
