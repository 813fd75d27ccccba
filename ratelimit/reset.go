package ratelimit

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// Reset forgets what an identifier has used. It deletes the keys that can matter
// now, by name: no pattern is matched, so identifiers that contain globs or are the
// beginning of others are safe. Other processes may refuse the identifier from memory
// for up to Options.BlockFor.
func (l *Limiter) Reset(ctx context.Context, id string) error {
	return failed("reset", l.reset(ctx, id))
}

func (l *Limiter) reset(ctx context.Context, id string) error {
	now, err := l.begin(ctx, id)
	if err != nil {
		return err
	}
	q := query{id: id, now: now}
	l.local.forget(&q)
	if l.cache != nil {
		l.cache.forget(&q)
	}
	if !l.opts.Local {
		keys := l.names.all(id, now)
		cmds := make([]conn.Command, len(keys))
		for i, key := range keys {
			cmds[i] = conn.Key("DEL", key)
		}
		for _, r := range l.c.Pipeline(l.bounded(ctx), cmds...) {
			if r.Err != nil {
				return r.Err
			}
		}
	}
	l.unblock(id)
	return nil
}
