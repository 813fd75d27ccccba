package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/session"
)

// lifecycle opens one of each, uses it once, and closes it; and cuts connections.
type lifecycle struct{ env *env }

func openLifecycle(_ context.Context, e *env) (load, error) { return lifecycle{e}, nil }

func (lifecycle) close() error { return nil }

func (l lifecycle) step(ctx context.Context, rng *rand.Rand) error {
	if l.env.cut != nil && rng.IntN(20) == 0 {
		return l.env.cut(ctx)
	}
	c, err := l.env.connect(ctx)
	if err != nil {
		return err
	}
	uses := []func(context.Context, conn.Conn) error{l.cache, l.limiter, l.sessions, l.topic, l.gateway, l.database}
	err = uses[rng.IntN(len(uses))](ctx, c)
	return errors.Join(err, c.Close())
}

func (l lifecycle) name(what string) string { return fmt.Sprintf("%s-life-%s", l.env.id, what) }

func (l lifecycle) cache(ctx context.Context, c conn.Conn) error {
	cache, err := larder.New(c, larder.Options[int64, article]{Namespace: l.name("cache"), TTL: lifetime / 2, Load: loadArticle})
	if err != nil {
		return err
	}
	_, err = cache.Get(ctx, 1)
	return errors.Join(err, cache.Close())
}

func (l lifecycle) limiter(ctx context.Context, c conn.Conn) error {
	one, err := ratelimit.New(c, ratelimit.Options{
		Algorithm: ratelimit.SlidingWindow(100, lifetime/4), Prefix: l.name("limit"), Timeout: patience,
	})
	if err != nil {
		return err
	}
	_, err = one.Limit(ctx, "user")
	return errors.Join(err, one.Close())
}

func (l lifecycle) sessions(ctx context.Context, c conn.Conn) error {
	store, err := session.New[basket](c, session.Options{Namespace: l.name("session"), Lifetime: lifetime / 2})
	if err != nil {
		return err
	}
	_, err = store.Create(ctx, "", basket{})
	return errors.Join(err, store.Close())
}

func (l lifecycle) topic(ctx context.Context, c conn.Conn) error {
	t, err := event.NewTopic[news](c, l.name("topic"), event.Options{ConnectTimeout: patience})
	if err != nil {
		return err
	}
	return errors.Join(visit(ctx, t, news{}), t.Close())
}

func (l lifecycle) gateway(ctx context.Context, c conn.Conn) error {
	served, err := openGateway(ctx, &env{conn: c, id: l.name("rest")})
	if err != nil {
		return err
	}
	_, err = served.(*rest).client.Do(ctx, conn.Cmd("PING")) //nolint:forcetypeassert // made by the line above
	return errors.Join(err, served.close())
}

func (l lifecycle) database(ctx context.Context, c conn.Conn) error {
	db, err := (&env{conn: c, id: l.env.id + "-life", sql: l.env.sql}).openSQL()
	if err != nil {
		return err
	}
	return errors.Join(queries{db}.one(ctx, 1), db.Close())
}
