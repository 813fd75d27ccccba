package larder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/entry"
)

// Item is a value with what its loader knows of it: see Options.LoadItem.
type Item[V any] struct {
	Value V
	// TTL is how long this value is fresh: up to Options.TTL, which 0 means too.
	// Negative means that it is not to be stored.
	TTL time.Duration
	// Validator is what the source knows this state of the value by, an ETag for
	// example: up to 255 bytes. The next load gets it with the old value.
	Validator string
}

// loader gets the value of a key from its source. old is nil where there is
// nothing to compare with.
type loader[K comparable, V any] func(ctx context.Context, key K, old *Item[V]) (Item[V], error)

// loaderOf makes a loader of a plain function; nil stays nil.
func loaderOf[K comparable, V any](load func(context.Context, K) (V, error)) loader[K, V] {
	if load == nil {
		return nil
	}
	return func(ctx context.Context, key K, _ *Item[V]) (Item[V], error) {
		v, err := load(ctx, key)
		return Item[V]{Value: v}, err
	}
}

// single makes the loader of one key, whichever of Load, LoadItem and LoadMany is
// set. It is nil where none is.
func (o *Options[K, V]) single() loader[K, V] {
	switch {
	case o.LoadItem != nil:
		return func(ctx context.Context, key K, old *Item[V]) (Item[V], error) {
			if old == nil {
				old = &Item[V]{}
			}
			return o.LoadItem(ctx, key, *old)
		}
	case o.Load != nil || o.LoadMany == nil:
		return loaderOf(o.Load)
	}
	return loaderOf(func(ctx context.Context, key K) (V, error) {
		got, err := o.LoadMany(ctx, []K{key})
		v, ok := got[key]
		if err == nil && !ok {
			err = ErrNotFound
		}
		return v, err
	})
}

var errNothingToKeep = errors.New("larder: the loader says ErrNotModified, but it was given no old value")

// keepOld turns ErrNotModified into the old value.
func keepOld[V any](item Item[V], err error, old *Item[V]) (Item[V], error) {
	if !errors.Is(err, ErrNotModified) {
		return item, err
	}
	if old == nil {
		return item, errNothingToKeep
	}
	item.Value = old.Value
	if item.Validator == "" {
		item.Validator = old.Validator
	}
	return item, nil
}

// oldOf is what an entry gives a conditional load to compare with.
func (c *Cache[K, V]) oldOf(e entry.Entry) *Item[V] {
	if c.opts.LoadItem == nil || e.Flags != 0 || e.Schema != c.schema {
		return nil
	}
	v, err := decodeValue(c.opts.Codec, e.Payload)
	if err != nil {
		return nil
	}
	return &Item[V]{Value: v, Validator: strings.Clone(e.Validator)}
}

// loaded is the outcome of a load that is to be stored.
type loaded[V any] struct {
	Item[V]
	negative bool // the source has no value
	revision uint64
	tags     []string // those that only the value knows
	bad      error    // why it cannot be stored
}

// describe asks the functions of Options what they make of a value. What is wrong
// with their answers, or with the validator, keeps it from being stored; a panic is
// the caller's to handle.
func (c *Cache[K, V]) describe(key K, item Item[V]) loaded[V] {
	got := loaded[V]{Item: item}
	if c.opts.Revision != nil {
		got.revision = c.opts.Revision(item.Value)
	}
	if c.opts.TagsOf != nil {
		got.tags = c.opts.TagsOf(key, item.Value)
	}
	if len(item.Validator) > entry.MaxValidatorBytes {
		got.bad = optionError("the length of Item.Validator", len(item.Validator), "up to 255 bytes")
		got.Validator = ""
	}
	if err := checkTags(got.tags); err != nil {
		got.bad, got.tags = err, nil
	}
	return got
}

// describeWritten is describe for a value that its writer hands over.
func (c *Cache[K, V]) describeWritten(key K, value V) (got loaded[V], err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("larder: Options.TagsOf or Options.Revision panicked: %v", p)
		}
	}()
	got = c.describe(key, Item[V]{Value: value})
	return got, got.bad
}
