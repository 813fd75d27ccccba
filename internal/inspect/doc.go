// Package inspect looks at what Larder keeps in Redis, for people: where an
// entry lives, whether a Get would be served from it, and if not, why. It also
// does by hand what a cache does when it invalidates.
//
//	rep, err := inspect.Explain(ctx, c, "user", "42")
//	if err != nil {
//		return err
//	}
//	fmt.Println(rep.Verdict) // "a miss: tag users was invalidated 3 s ago by web-1/7"
//
// # What it knows
//
// Looking changes nothing and loads nothing. The entry is read in one
// transaction, together with the clock of its node (in several steps where Redis is
// full and refuses transactions); the generations follow in a second round trip,
// so they may be newer than the entry. That a value can be
// decoded, only a program that knows its type can tell; the schema's fingerprint
// is shown for comparison.
//
// Who invalidated is known of tags and namespaces, whose generations say which
// process made them. Of a key's own invalidation nothing is left to be found.
//
// Neither the token of a lease nor a validator nor, outside [Get], a value leaves
// this package.
//
// # Concurrency
//
// All functions may be called concurrently; they keep nothing.
//
// # Failure
//
// Errors of the connection are returned as they are. A key that holds something
// else than an entry is not an error: the Report says so.
package inspect
