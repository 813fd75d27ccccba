package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
)

// sender is who sends requests; the zero value is nobody.
type sender struct {
	cookie *http.Cookie
	// views and edits are what the instances have answered.
	views, edits atomic.Int64
}

// sessionTally is what was found about sessions.
type sessionTally struct {
	logins  int
	updates int // that the sessions should hold
	lost    int // that they do not, or more often than once
	undead  int // sessions that an instance has taken for valid after their log-out
}

func (t sessionTally) plus(u sessionTally) sessionTally {
	return sessionTally{t.logins + u.logins, t.updates + u.updates, t.lost + u.lost, t.undead + u.undead}
}

// logIn returns somebody who is logged in by an instance.
func (g *generator) logIn(ctx context.Context, user string, instance int) *sender {
	who := &sender{}
	header, err := g.send(ctx, who, http.MethodPost, g.urls[instance]+"/login?"+url.Values{"user": {user}}.Encode(), io.Discard)
	if err == nil {
		who.cookie, err = http.ParseSetCookie(header.Get("Set-Cookie"))
	}
	if err != nil {
		g.failed(ctx, fmt.Errorf("log in: %w", err))
	}
	return who
}

// logOut checks that each instance knows all that the sender has done on any, ends
// the session through one, and checks that it has ended on all.
func (g *generator) logOut(ctx context.Context, who *sender, user string, instance int) {
	t := sessionTally{logins: 1, updates: int(who.views.Load() + who.edits.Load())}
	for i := range g.urls {
		v := g.whoIs(ctx, who, i)
		missing := abs(int(who.views.Load())-v.Views) + abs(int(who.edits.Load())-v.Edits)
		if v.User != user {
			g.failed(ctx, fmt.Errorf("instance %d takes %s for %q", i, user, v.User))
		}
		t.lost = max(t.lost, missing)
	}
	if _, err := g.send(ctx, who, http.MethodPost, g.urls[instance]+"/logout", io.Discard); err != nil {
		g.failed(ctx, fmt.Errorf("log out: %w", err))
	}
	for i := range g.urls {
		if g.whoIs(ctx, who, i).User != "" {
			t.undead++
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sessions = g.sessions.plus(t)
}

// whoIs asks an instance whom it takes the sender for.
func (g *generator) whoIs(ctx context.Context, who *sender, instance int) (v visitor) {
	var body bytes.Buffer
	_, err := g.send(ctx, who, http.MethodGet, g.urls[instance]+"/session", &body)
	if err == nil {
		err = json.Unmarshal(body.Bytes(), &v)
	}
	if err != nil {
		g.failed(ctx, fmt.Errorf("ask for the session: %w", err))
	}
	return v
}

func abs(n int) int { return max(n, -n) }
