package demo

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/session"
)

// sessionLifetime leaves little behind on a shared server.
const sessionLifetime = time.Hour

// loginLimit is more than a run needs: its writer logs in once for each round and phase.
var loginLimit = ratelimit.SlidingWindow(100, time.Minute)

// visit is what a session holds: what somebody who is logged in has looked at and
// changed, on whichever instance.
type visit struct {
	Views int `json:"views"`
	Edits int `json:"edits"`
}

// visitor is the answer to "who am I?"; the user is "" for nobody.
type visitor struct {
	User string `json:"user"`
	visit
}

// login makes a session. This is a demonstration: there are no passwords.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("user")
	if user == "" || len(user) > maxQuery {
		writeError(w, http.StatusBadRequest, errors.New("user must be a name of 1 to 64 bytes"))
		return
	}
	switch d, err := a.logins.Limit(r.Context(), user); {
	case err != nil:
		writeError(w, http.StatusServiceUnavailable, err)
		return
	case !d.Allowed:
		w.Header().Set("Retry-After", strconv.FormatFloat(math.Ceil(d.RetryAfter.Seconds()), 'f', 0, 64))
		writeError(w, http.StatusTooManyRequests, errors.New("too many log-ins of this user"))
		return
	}
	if err := a.visitors.Of(r).Login(r.Context(), user, nil); err != nil {
		writeError(w, http.StatusServiceUnavailable, err)
		return
	}
	writeJSON(w, http.StatusOK, visitor{User: user})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	if err := a.visitors.Of(r).Logout(r.Context()); err != nil {
		writeError(w, http.StatusServiceUnavailable, err)
		return
	}
	writeJSON(w, http.StatusOK, visitor{})
}

func (a *app) whoAmI(w http.ResponseWriter, r *http.Request) {
	s, err := a.visitors.Of(r).Get(r.Context())
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		writeError(w, http.StatusServiceUnavailable, err)
		return
	}
	writeJSON(w, http.StatusOK, visitor{s.User, s.Data})
}

// noted calls fn with the session of a request whose sender is logged in. Everybody
// else costs nothing.
func (a *app) noted(r *http.Request, fn func(*visit)) (user string, err error) {
	h := a.visitors.Of(r)
	// Who has gone meanwhile has sent the request all the same.
	ctx := context.WithoutCancel(r.Context())
	s, err := h.Get(ctx)
	if errors.Is(err, session.ErrNotFound) {
		return "", nil
	}
	if err == nil {
		err = h.Update(ctx, func(v *visit) error { fn(v); return nil })
	}
	return s.User, err
}

// viewed serves, and notes it afterwards: whether an answer is stale depends on
// the moment of reading.
func (a *app) viewed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		next(w, r)
		// The answer is on its way; a view that was not counted shows in the session.
		_, _ = a.noted(r, func(v *visit) { v.Views++ })
	}
}
