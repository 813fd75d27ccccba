package larder

import (
	"context"
	"log/slog"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// The operations that an Observer is told of.
const (
	verbRead       = "read"       // entries from Redis
	verbLoad       = "load"       // values from the source
	verbFill       = "fill"       // entries into Redis
	verbInvalidate = "invalidate" // by key, tag, prefix or namespace
	verbWrite      = "write"      // WriteThrough and CommitTags, with what they call
	verbProbe      = "probe"      // the truth from the source
)

// keysAttr is how many keys a batch has.
const keysAttr = "larder.keys"

// operate tells the Observer that an operation on a number of keys begins; 0 is of
// no number.
func (c *Cache[K, V]) operate(ctx context.Context, verb string, keys int) (context.Context, observe.End) {
	op := observe.Operation{Kind: observe.Cache, Name: c.opts.Namespace, Verb: verb}
	if keys > 1 && c.opts.Observer != nil {
		op.Attrs = []slog.Attr{slog.Int(keysAttr, keys)}
	}
	return c.observer.Begin(ctx, op)
}

// source is what an Observer may read of the cache at any time.
func (c *Cache[K, V]) source() observe.Source {
	return observe.Source{Subject: c.Describe(), Metrics: Metrics(), Read: c.yield}
}

// firstError is that of the first result that has one.
func firstError(rs []conn.Result) error {
	for _, r := range rs {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}
