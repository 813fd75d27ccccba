// Session keeps who is logged in, behind a cookie.
//
// The habit it replaces:
//
//	const sessionId = crypto.randomUUID();
//	await redis.set(`session:${sessionId}`, session, { ex: 60 * 60 * 24 * 7 });
//
// There the key is the secret, so a dump logs in as everybody; two requests that
// write the whole session lose each other's changes; nobody knows which sessions a
// user has. Here Redis holds a hash of the id, a change is a function, the id is
// new after a login, and a user can be logged out everywhere at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"

	"github.com/larder-go/larder/examples/patterns/internal/server"
	"github.com/larder-go/larder/session"
)

// Cart is what a session holds.
type Cart struct{ Items int }

func routes(m *session.Middleware[Cart]) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, fn func(*session.Handle[Cart], *http.Request) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := fn(m.Of(r), r); errors.Is(err, session.ErrNotFound) {
				w.WriteHeader(http.StatusUnauthorized)
			} else if err != nil { // an outage is not a logout
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
	}
	handle("/cart", func(h *session.Handle[Cart], r *http.Request) error {
		s, err := h.Get(r.Context())
		if err == nil {
			fmt.Printf("  %q has %d items\n", s.User, s.Data.Items)
		}
		return err
	})
	handle("/buy", func(h *session.Handle[Cart], r *http.Request) error {
		return h.Update(r.Context(), func(c *Cart) error { c.Items++; return nil })
	})
	handle("/login", func(h *session.Handle[Cart], r *http.Request) error { return h.Login(r.Context(), "pattern-ann", nil) })
	return m.Wrap(mux)
}

func main() {
	ctx := context.Background()
	c, err := server.Open(ctx)
	check(err)
	sessions, err := session.New[Cart](c, session.Options{Namespace: "pattern-session"})
	check(err)
	// Over plain HTTP, for this program only: by default it is __Host-session.
	m, err := session.NewMiddleware(sessions, session.CookieOptions{Insecure: true})
	check(err)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	check(err)
	go func() { _ = http.Serve(listener, routes(m)) }()
	jar, _ := cookiejar.New(nil)
	visit := func(path string) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		check(err)
		res, err := (&http.Client{Jar: jar}).Do(r)
		check(err)
		check(res.Body.Close())
		fmt.Printf("%-6s -> %d, a new cookie: %v\n", path, res.StatusCode, len(res.Cookies()) > 0)
	}
	for _, path := range []string{"/cart", "/buy", "/buy", "/cart", "/login", "/cart"} {
		visit(path)
	}
	_, err = sessions.DestroyAll(ctx, "pattern-ann")
	check(err)
	fmt.Println("ended everywhere")
	visit("/cart")
	check(errors.Join(listener.Close(), sessions.Close(), c.Close()))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
