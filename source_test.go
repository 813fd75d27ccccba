package larder_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

var errDown = errors.New("the source is down")

// newCache makes a cache over c, or a local one where c is nil.
func newCache[V any](t *testing.T, c conn.Conn, o larder.Options[string, V]) *larder.Cache[string, V] {
	t.Helper()
	o.Namespace, o.Local = "ns", c == nil
	if o.TTL == 0 {
		o.TTL = time.Minute
	}
	cache, err := larder.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

// always is a source in which every key has the same value.
func always(v int64) func(context.Context, string) (int64, error) {
	return func(context.Context, string) (int64, error) { return v, nil }
}

// alwaysMany is always for batches.
func alwaysMany(v int64) func(context.Context, []string) (map[string]int64, error) {
	return func(_ context.Context, keys []string) (map[string]int64, error) {
		m := make(map[string]int64, len(keys))
		for _, k := range keys {
			m[k] = v
		}
		return m, nil
	}
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	return keys
}

// within is a context for what may never come back.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// answer is what a Get returned.
type answer[V any] struct {
	value V
	err   error
}

// get is Get in the background.
func get[V any](ctx context.Context, c *larder.Cache[string, V], key string) <-chan answer[V] {
	answers := make(chan answer[V], 1)
	go func() {
		v, err := c.Get(ctx, key)
		answers <- answer[V]{v, err}
	}()
	return answers
}

// asks are the two ways to ask for one key.
func asks[V any]() map[string]func(context.Context, *larder.Cache[string, V], string) (V, error) {
	return map[string]func(context.Context, *larder.Cache[string, V], string) (V, error){
		"Get": func(ctx context.Context, c *larder.Cache[string, V], key string) (V, error) {
			return c.Get(ctx, key)
		},
		"GetMany": func(ctx context.Context, c *larder.Cache[string, V], key string) (V, error) {
			m, err := c.GetMany(ctx, []string{key})
			v, ok := m[key]
			if err == nil && !ok {
				err = larder.ErrNotFound
			}
			return v, err
		},
	}
}
