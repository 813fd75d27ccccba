package session

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Handle is the session of one request. Its methods are safe for concurrent use and
// run one after the other.
type Handle[T any] struct {
	m *Middleware[T] // nil: no middleware

	mu      sync.Mutex // protects the following
	id      ID         // "" for none
	sent    bool       // the browser has sent a cookie of our name
	loaded  bool
	session Session[T] // if loaded
	set     string     // the cookie to be written, if any
	used    bool       // the response depends on the cookie
	written bool       // the header has been written
}

// touchShare is the part of the idle time that has to pass before a session is
// touched again, so that few requests write.
const touchShare = 16

// Get returns the session, which is read once per request, or ErrNotFound where
// nobody has one. Where the answer is ErrUnavailable, it is not known. With an
// IdleTimeout the session is touched.
func (h *Handle[T]) Get(ctx context.Context) (Session[T], error) {
	if h.m == nil {
		return Session[T]{}, ErrNoMiddleware
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.getLocked(ctx)
}

func (h *Handle[T]) getLocked(ctx context.Context) (Session[T], error) {
	h.used = true
	if h.loaded {
		return h.session, nil
	}
	if h.id == "" {
		return Session[T]{}, ErrNotFound
	}
	s, err := h.m.store.Get(ctx, h.id)
	if errors.Is(err, ErrNotFound) {
		h.id = ""
		return s, err
	}
	if err != nil {
		return s, err
	}
	if idle := h.m.store.opt.IdleTimeout; idle > 0 && !s.Stale {
		// Not beyond its life, which needs no touch.
		if left := time.Until(s.IdleUntil); left < idle-idle/touchShare && s.IdleUntil.Before(s.Expires) {
			switch err := h.m.store.Touch(ctx, h.id); {
			case errors.Is(err, ErrNotFound):
				h.id = ""
				return Session[T]{}, err
			case err == nil:
				s.IdleUntil = time.Now().Add(idle)
				if s.Expires.Before(s.IdleUntil) {
					s.IdleUntil = s.Expires
				}
			}
			// Otherwise it ends earlier than it would have to, which is safe.
		}
	}
	h.session, h.loaded = s, true
	return s, nil
}

// Update changes the data of the session, as Store.Update does: at once, and so that
// other requests of the same session lose nothing. Where there is no session it
// makes one without a user.
func (h *Handle[T]) Update(ctx context.Context, fn func(*T) error) error {
	if h.m == nil {
		return ErrNoMiddleware
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used = true
	if h.id != "" {
		s, err := h.m.store.Update(ctx, h.id, fn)
		if err == nil {
			h.session, h.loaded = s, true
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		h.id, h.loaded = "", false
	}
	return h.createLocked(ctx, "", fn)
}

// Login makes user the one whose session it is, under a new id: see Store.Renew. fn
// may change the data; nil changes nothing. What an anonymous session held is kept.
func (h *Handle[T]) Login(ctx context.Context, user string, fn func(*T) error) error {
	if h.m == nil {
		return ErrNoMiddleware
	}
	if user == "" {
		return errNoUser
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used = true
	if h.written {
		return ErrHeaderWritten
	}
	if h.id != "" {
		s, err := h.m.store.Renew(ctx, h.id, user, fn)
		if err == nil {
			h.takeLocked(s)
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		h.id, h.loaded = "", false
	}
	return h.createLocked(ctx, user, fn)
}

// Logout ends the session and makes the browser forget it, if the response has not
// begun. After ErrUnavailable the browser forgets it all the same, and the session
// may still exist.
func (h *Handle[T]) Logout(ctx context.Context) error {
	if h.m == nil {
		return ErrNoMiddleware
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.used = true
	id := h.id
	h.id, h.loaded, h.set = "", false, ""
	if h.sent {
		h.set = h.m.cookie.clear()
	}
	return h.m.store.Destroy(ctx, id)
}

func (h *Handle[T]) createLocked(ctx context.Context, user string, fn func(*T) error) error {
	if h.written {
		return ErrHeaderWritten
	}
	var data T
	if fn != nil {
		if err := fn(&data); err != nil {
			return err
		}
	}
	s, err := h.m.store.Create(ctx, user, data)
	if err == nil {
		h.takeLocked(s)
	}
	return err
}

// takeLocked makes s the session, and its id the cookie.
func (h *Handle[T]) takeLocked(s Session[T]) {
	h.session, h.loaded, h.id = s, true, s.ID
	h.set = h.m.cookie.set(s.ID, s.Expires.Sub(s.Created))
}

// writeCookie is called once, before the header is written.
func (h *Handle[T]) writeCookie(header http.Header) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written = true
	if h.set != "" {
		header.Add("Set-Cookie", h.set)
		// A shared cache must not hand one user's cookie to others.
		header.Add("Cache-Control", `no-cache="Set-Cookie"`)
	}
	if h.used {
		header.Add("Vary", "Cookie")
	}
}
