package larder

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/lease"
)

// CommitTags changes what the tags stand for by calling commit, and drops every
// entry that carries one of them, of all namespaces on the same Redis: it is
// InvalidateTags that is safe at every crash point. Before commit is called a
// barrier is put up on the tags. Until CommitTags ends no entry with one of them is
// served, readers load from the source, and nothing that was loaded before or
// meanwhile is stored. So at whatever point the process dies no old value is left:
// the barrier ends by itself after Options.Lease, and leaves no generation that any
// entry carries. At most 1,000 tags; it costs two round trips.
//
// commit runs on the caller's goroutine. Its context ends when the barrier cannot
// be kept up, and after Options.LoadTimeout. Where it goes on regardless, and takes
// effect after its process has died, old values may be there until their TTL. Its
// error is returned as it is; whether it has taken effect is not known then, so the
// tags are invalidated.
//
// Where Redis does not answer, commit is called all the same, and
// ErrInvalidationPending returned after it, joined with the error of commit if it
// has one. The tags are invalidated also if ctx has ended meanwhile, which takes up
// to Options.CacheTimeout.
func (c *Cache[K, V]) CommitTags(ctx context.Context, tags []string, commit func(context.Context) error) error {
	keys, err := tagKeys(tags)
	if err == nil && len(tags) > maxCommitTags {
		err = optionError("the number of tags", len(tags), "at most 1000")
	}
	if err != nil {
		return err
	}
	if err := c.begin(ctx); err != nil {
		return c.failed("commit tags", "", err)
	}
	defer c.work.Done()
	c.stats.invalidations.Add(1)
	ctx, end := c.operate(ctx, verbWrite, 0)
	w := &tagWrite[K, V]{cache: c, keys: keys, token: lease.Token()}
	defer func() { end(errors.Join(err, w.err)) }()
	defer w.end(ctx) // also where commit panics, or ends the goroutine
	w.begin(ctx)
	err = errNoOutcome // unless commit returns
	err = c.behind(ctx, w.barred, w.again(), commit)
	w.end(ctx)
	if w.err == nil {
		return err
	}
	return errors.Join(err, c.failed("commit tags", "", w.err))
}

const maxCommitTags = 1000

// tagWrite is one CommitTags.
type tagWrite[K comparable, V any] struct {
	cache *Cache[K, V]
	keys  []string
	token uint64

	barred  time.Time
	barrier bool          // stands, as far as we know
	left    time.Duration // of CacheTimeout, for the end

	ended bool
	err   error // what became of the invalidation
}

// begin puts up the barrier. Where there is no Redis nobody outlives this process:
// the new generations at the end will do.
func (w *tagWrite[K, V]) begin(ctx context.Context) {
	c := w.cache
	if c.c == nil {
		return
	}
	ctx = c.brief.Context(ctx)
	w.barred = time.Now()
	err := generation.Bar(ctx, c.c, w.token, c.opts.Lease, w.keys...)
	w.left = c.opts.CacheTimeout - time.Since(w.barred)
	if w.barrier = err == nil; err != nil {
		c.stats.l2Errors.Add(1)
	}
}

// again extends the barrier; nil where there is none.
func (w *tagWrite[K, V]) again() func(context.Context) (bool, error) {
	if !w.barrier {
		return nil
	}
	return func(ctx context.Context) (bool, error) {
		return generation.Rebar(ctx, w.cache.c, w.token, w.cache.opts.Lease, w.keys...)
	}
}

// end starts new generations in the place of the barrier.
func (w *tagWrite[K, V]) end(ctx context.Context) {
	if w.ended {
		return
	}
	w.ended = true
	c := w.cache
	// The source is written, whoever still waits.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(w.left, 0))
	defer cancel()
	if c.c == nil {
		w.err = c.bump(ctx, w.keys...)
		return
	}
	if err := generation.Lift(ctx, c.c, w.token, w.keys...); err != nil {
		c.stats.l2Errors.Add(1)
		c.pending.Add(c.nsKey, nil, w.keys)
		c.gens.Disown(w.keys...)
		w.err = undelivered(err)
	}
}
