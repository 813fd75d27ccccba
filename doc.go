// Package larder is a typed read-through cache in two tiers: decoded values in
// the process (L1) over Redis (L2), kept coherent so that an invalidated value
// is never served again.
//
//	c, err := redisconn.Open(ctx, os.Getenv("REDIS_URL"), redisconn.Options{})
//	…
//	users, err := larder.New(c, larder.Options[int64, User]{
//		Namespace: "user",
//		TTL:       5 * time.Minute,
//		Load:      func(ctx context.Context, id int64) (User, error) { return queries.User(ctx, id) },
//		Tags:      func(int64) []string { return []string{"users"} },
//	})
//	…
//	u, err := users.Get(ctx, 42)                    // loads once, however many callers ask
//	err = users.Invalidate(ctx, 42)                 // after the row was written
//	err = larder.InvalidateTags(ctx, c, "users")    // one command, however many entries
//
// # What is promised
//
// Once Invalidate, Set, WriteThrough, InvalidateTags, CommitTags, InvalidatePrefix or
// Clear has returned nil, no Get of this process that starts later returns a value whose load began
// before it. Another process that holds the value in its L1 learns of it by a
// push, normally within a millisecond. A load that was overtaken by an
// invalidation never lands: each load has a token of its own, and Redis refuses
// the fill when the token is gone.
//
// One load runs per key, in the whole fleet, while Redis is reachable: callers
// of the same process share a flight, processes exclude each other by a lease
// that expires when its holder dies. While a WriteThrough of the key, or a
// CommitTags of one of its tags, is under way it is one per process, since what is loaded then is not stored.
//
// # Concurrency
//
// A Cache is safe for concurrent use. Values that Get returns are shared by all
// callers of the process: treat them as read-only. Loaders run on a goroutine of
// their own, with the values of the first caller's context but not its end: what
// was begun is finished for the others and stored, within Options.LoadTimeout.
//
// # Failure
//
// A cache call that fails on the way to Redis costs at most
// Options.CacheTimeout; the loader then answers, once per key and process, and
// nothing is stored. An invalidation that cannot be delivered returns
// ErrInvalidationPending and is tried again while the process lives. Loader errors
// are returned as they are, and are not cached; ErrNotFound is the loader's way to
// say that there is no such value. docs/consistency.md says what holds in plain
// words.
package larder
