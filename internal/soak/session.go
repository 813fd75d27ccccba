package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/larder-go/larder/session"
)

// sessionUsers have up to sessionsEach sessions.
const (
	sessionUsers = 40
	sessionsEach = 5
	// remembered is how many ids the load knows; those of others have ended.
	remembered = 200
)

// basket is what a session holds.
type basket struct {
	Items int    `json:"items"`
	Note  string `json:"note"`
}

// sessions are created, used, renewed and ended.
type sessions struct {
	store *session.Store[basket]

	mu  sync.Mutex // protects ids
	ids [remembered]session.ID
}

func openSessions(_ context.Context, e *env) (load, error) {
	key, err := session.NewKey("soak", secret())
	if err != nil {
		return nil, err
	}
	store, err := session.New[basket](e.conn, session.Options{
		Namespace: e.id + "-session", Lifetime: lifetime, IdleTimeout: lifetime / 2, MaxPerUser: sessionsEach,
		Keys: []session.Key{key}, ServeStale: lifetime, MaxStale: 100,
	})
	if err != nil {
		return nil, err
	}
	return &sessions{store: store}, nil
}

func (l *sessions) close() error { return l.store.Close() }

func (l *sessions) step(ctx context.Context, rng *rand.Rand) error {
	user := fmt.Sprintf("user-%d", rng.IntN(sessionUsers))
	at := rng.IntN(remembered)
	var err error
	switch n := rng.IntN(100); {
	case n < 20:
		var s session.Session[basket]
		if s, err = l.store.Create(ctx, user, basket{Note: strings.Repeat("n", rng.IntN(500))}); err == nil {
			l.put(at, s.ID)
		}
	case n < 60:
		_, err = l.store.Get(ctx, l.id(at))
	case n < 80:
		_, err = l.store.Update(ctx, l.id(at), func(b *basket) error { b.Items++; return nil })
	case n < 86:
		var s session.Session[basket]
		if s, err = l.store.Renew(ctx, l.id(at), user, nil); err == nil {
			l.put(at, s.ID)
		}
	case n < 90:
		err = l.store.Touch(ctx, l.id(at))
	case n < 94:
		err = l.store.Destroy(ctx, l.id(at))
	case n < 98:
		_, err = l.store.List(ctx, user)
	default:
		_, err = l.store.DestroyAll(ctx, user)
	}
	if errors.Is(err, session.ErrNotFound) {
		return nil // it has ended meanwhile
	}
	return err
}

func (l *sessions) id(at int) session.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ids[at]
}

func (l *sessions) put(at int, id session.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids[at] = id
}
