// Package pgxcache is package sqlcache for users of pgxpool: the same cache, the same
// invalidation, with pgx's own types.
//
//	db, err := pgxcache.New(pool, c, sqlcache.Options{All: true})
//	…
//	rows, err := db.Query(ctx, "SELECT name FROM users WHERE id = $1", id)
//	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
//
// A [DB] has the methods that sqlc's generated code wants. Only what goes through it is
// seen: what is written over the pool itself, or over a connection of it, is not, until
// the TTL or sqlcache.Invalidate. It does not share results with a sql.DB, but each
// obeys the writes of the other.
//
// # Concurrency
//
// A DB is safe for concurrent use. Rows hold a connection of the pool until they are
// closed, also those that come from the cache.
//
// # Failure
//
// As in package sqlcache: a failure of the cache never fails a statement.
package pgxcache
