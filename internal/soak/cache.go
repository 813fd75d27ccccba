package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/larder-go/larder"
)

// The key space of the caches.
const (
	cacheKeys = 1000
	cacheTags = 16
)

// article is a value of 100 to 2,000 bytes.
type article struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
}

// caches are two instances of one namespace, as in two processes, with compression,
// encryption, tags, stale values and negative entries.
type caches struct {
	closers
	ns    string
	pair  [2]*larder.Cache[int64, article]
	texts *larder.Cache[string, string] // for prefixes
}

func openCache(ctx context.Context, e *env) (load, error) {
	l := &caches{ns: e.id + "-cache"}
	key, err := larder.NewEncryptionKey("soak", secret())
	if err != nil {
		return nil, err
	}
	codec, err := larder.Encrypt(larder.Compress(larder.JSON[article](), larder.CompressOptions{}), key)
	if err != nil {
		return nil, err
	}
	for i := range l.pair {
		c, err := e.connect(ctx)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.add(c.Close)
		l.pair[i], err = larder.New(c, larder.Options[int64, article]{
			Namespace: l.ns, TTL: lifetime / 4, StaleFor: lifetime / 4, NegativeTTL: lifetime / 8,
			Load: loadArticle, Codec: codec, L1MaxBytes: 1 << 20, RefreshAhead: 1,
			Tags: func(id int64) []string { return []string{l.tag(id)} },
		})
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.add(l.pair[i].Close)
	}
	l.texts, err = larder.New(e.conn, larder.Options[string, string]{
		Namespace: l.ns + "-text", TTL: lifetime / 4,
		Load: func(_ context.Context, key string) (string, error) { return "text of " + key, nil },
	})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.add(l.texts.Close)
	return l, nil
}

// loadArticle is the source; every seventh article does not exist.
func loadArticle(_ context.Context, id int64) (article, error) {
	if id%7 == 0 {
		return article{}, larder.ErrNotFound
	}
	return article{id, strings.Repeat(fmt.Sprint(id, " "), 20+int(id)%300)}, nil
}

func (l *caches) tag(id int64) string { return fmt.Sprintf("%s/%d", l.ns, id%cacheTags) }

func (l *caches) step(ctx context.Context, rng *rand.Rand) error {
	c := l.pair[rng.IntN(len(l.pair))]
	id := rng.Int64N(cacheKeys)
	switch n := rng.IntN(100); {
	case n < 70:
		return l.get(ctx, c, id)
	case n < 80:
		_, err := c.GetMany(ctx, []int64{id, id + 1, id + 2, id + 3})
		return err
	case n < 84:
		a, err := loadArticle(ctx, id+1)
		if err != nil {
			return c.Invalidate(ctx, id)
		}
		return c.Set(ctx, id+1, a)
	case n < 88:
		return c.Invalidate(ctx, id, id+1)
	case n < 91:
		return c.InvalidateTags(ctx, l.tag(id))
	case n < 93:
		return c.CommitTags(ctx, []string{l.tag(id)}, func(context.Context) error { return nil })
	case n < 95:
		return c.WriteThrough(ctx, id, func(context.Context) (article, error) { return article{id, "written"}, nil })
	case n < 96:
		return c.Clear(ctx)
	case n < 98:
		return l.texts.InvalidatePrefix(ctx, fmt.Sprintf("%d/", id%10))
	}
	_, err := l.texts.Get(ctx, fmt.Sprintf("%d/%d", id%10, id))
	return err
}

func (l *caches) get(ctx context.Context, c *larder.Cache[int64, article], id int64) error {
	a, err := c.Get(ctx, id)
	switch {
	case errors.Is(err, larder.ErrNotFound):
		return nil
	case err == nil && a.ID != id:
		return wrong("an article", a.ID, id)
	}
	return err
}
