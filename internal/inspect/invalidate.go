package inspect

import (
	"context"
	"errors"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/backplane"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/naming"
)

// Keys removes the entries of encoded keys of a namespace, with the leases in
// them, and returns how many there were. The barrier of a WriteThrough stays,
// without value.
func Keys(ctx context.Context, c conn.Conn, namespace string, keys ...string) (removed int, err error) {
	rks := make([]string, len(keys))
	for i, key := range keys {
		if rks[i], err = redisKey(namespace, key); err != nil {
			return 0, err
		}
	}
	c, publish := backplane.Announcing(ctx, c)
	defer publish()
	return unlink(ctx, c, rks)
}

// Tags ends all entries of the tags, in every namespace.
func Tags(ctx context.Context, c conn.Conn, tags ...string) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = generation.TagKey(tag)
	}
	c, publish := backplane.Announcing(ctx, c)
	defer publish()
	return generation.Bump(ctx, c, keys...)
}

// Namespace ends all entries of a namespace. The source then gets all the loads
// at once.
func Namespace(ctx context.Context, c conn.Conn, namespace string) error {
	if err := CheckNamespace(namespace); err != nil {
		return err
	}
	c, publish := backplane.Announcing(ctx, c)
	defer publish()
	return generation.Bump(ctx, c, generation.NamespaceKey(namespace))
}

// Pattern removes the entries of a namespace whose encoded key matches a glob of
// Redis (*, ?, [a-c], \ before what stands for itself). It walks the whole
// keyspace in small steps and calls step, if there is one, with the number
// removed so far. That number is returned with an error too.
func Pattern(ctx context.Context, c conn.Conn, namespace, glob string, step func(removed int)) (removed int, err error) {
	if err := CheckNamespace(namespace); err != nil {
		return 0, err
	}
	if glob == "" {
		return 0, errNoGlob
	}
	c, publish := backplane.Announcing(ctx, c)
	defer publish()
	// A load that is under way has its lease under its key, so the walk finds
	// it and takes the lease away.
	err = c.Scan(ctx, naming.GlobEscape(namespace)+":"+glob, func(rks []string) error {
		n, err := unlink(ctx, c, rks)
		removed += n
		if step != nil {
			step(removed)
		}
		return err
	})
	return removed, err
}

// unlink is what a cache does with keys: caches of this process hear of it
// before, so that nobody is served what is about to go, and after, so that what
// came in between goes too; those of others by the server's push, or by the
// backplane.
func unlink(ctx context.Context, c conn.Conn, rks []string) (removed int, err error) {
	if tr, ok := c.Tracker(); ok {
		tr.Announce(rks...)
		defer tr.Announce(rks...)
	}
	was, errs := lease.Invalidate(ctx, c, rks...)
	for _, there := range was {
		if there {
			removed++
		}
	}
	return removed, errors.Join(errs...)
}
