package sqlcache

import (
	"context"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/statement"
)

// Query is what a caller wants of the cache for its queries: see With.
type Query struct {
	// TTL is how long the result may be kept, 1 ms to MaxTTL. 0 and negative mean
	// Options.TTL.
	TTL time.Duration
	// Tags are further tags of the result, for larder.InvalidateTags; as in
	// larder.Options.
	Tags []string
}

type wishKey struct{}

// wish is what stands in a context: a Query, or nil for Bypass.
type wish struct{ query *Query }

// With asks that the SELECTs which run under the context are cached. A hint in the text
// of a query, /* larder: ttl=30s tags=a,b */, does the same for that one, and counts for
// what it says.
func With(ctx context.Context, q Query) context.Context {
	return context.WithValue(ctx, wishKey{}, wish{query: &q})
}

// Bypass keeps queries that run under the context away from the cache, as the hint
// /* larder: off */ does for one. What they write is obeyed all the same.
func Bypass(ctx context.Context) context.Context {
	return context.WithValue(ctx, wishKey{}, wish{})
}

// wants tells how a query is to be cached, or why it is not.
func (o *Options) wants(ctx context.Context, hint *statement.Hint) (q Query, why reason) {
	w, given := ctx.Value(wishKey{}).(wish)
	if given && w.query != nil {
		q = *w.query
	}
	switch {
	case hint.Err != nil:
		return q, badHint
	case hint.Off || given && w.query == nil:
		return q, switchedOff
	case !given && !hint.Given && !o.All:
		return q, notAsked
	}
	if hint.TTL > 0 {
		q.TTL = hint.TTL
	}
	if len(hint.Tags) > 0 {
		q.Tags = append(slices.Clip(q.Tags), hint.Tags...)
	}
	if q.TTL <= 0 {
		q.TTL = o.TTL
	}
	q.TTL = min(max(q.TTL, time.Millisecond), MaxTTL)
	return q, cached
}
