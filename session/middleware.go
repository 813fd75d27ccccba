package session

import (
	"context"
	"net/http"
)

// Middleware gives requests their sessions.
//
//	m, err := session.NewMiddleware(sessions, session.CookieOptions{})
//	http.ListenAndServe(addr, m.Wrap(mux))
//
//	func login(w http.ResponseWriter, r *http.Request) {
//		s := m.Of(r)
//		err := s.Login(r.Context(), user, nil)
type Middleware[T any] struct {
	store  *Store[T]
	cookie CookieOptions
}

// NewMiddleware makes a middleware over store.
func NewMiddleware[T any](store *Store[T], o CookieOptions) (*Middleware[T], error) {
	if store == nil {
		return nil, optionError("the store", nil, "one made by New")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Middleware[T]{store, o}, nil
}

// Wrap returns a handler whose requests have a session, which costs nothing until
// it is asked for. The cookie is set once, when the header is written.
//
// The response writer that next gets supports Flush, and through
// http.ResponseController all that w does; after a Hijack no cookie is set.
func (m *Middleware[T]) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &Handle[T]{m: m}
		h.id, h.sent = m.cookie.read(r)
		out := &response{ResponseWriter: w, before: h.writeCookie}
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), requestKey[T]{m}, h)))
		out.commit() // net/http writes the header of those who wrote nothing
	})
}

// requestKey is one for each middleware.
type requestKey[T any] struct{ m *Middleware[T] }

// Of returns the session of a request that came through Wrap. Otherwise all
// methods of what it returns fail with ErrNoMiddleware.
func (m *Middleware[T]) Of(r *http.Request) *Handle[T] {
	if h, ok := r.Context().Value(requestKey[T]{m}).(*Handle[T]); ok {
		return h
	}
	return &Handle[T]{}
}
