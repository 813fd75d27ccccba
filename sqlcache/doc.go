// Package sqlcache caches the queries of database/sql, and drops what it has cached when
// a write through it changes what they read.
//
//	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
//	…
//	db, err := sqlcache.OpenDB(stdlib.GetConnector(*config), c, sqlcache.Options{All: true})
//
// db is a plain *sql.DB, for any library that takes one. PostgreSQL is understood, by
// way of pgx or lib/pq, and SQLite; of other databases only what names its own tags is
// cached: see [Other].
//
// A query is cached if it asks for it, by [With] or in its text,
//
//	SELECT /* larder: ttl=30s tags=report */ count(*) FROM orders
//
// or, with Options.All, unless it says [Bypass] or /* larder: off */. Only one plain
// SELECT can be, outside a transaction, whose result follows from its text, its
// arguments, the connection's settings and the rows of tables. [Explain] says why a
// query is not.
//
// # What is promised
//
// Once a statement that writes, or the COMMIT of a transaction that did, has returned,
// no query through a wrapped connection that begins later is answered with a result from
// before it: as in package larder, with its exception for other processes. Before the
// write takes effect, a barrier goes up on the tables that it changes, those that
// cascades and triggers change among them; so a process that dies in between leaves
// misses. A statement that is not understood drops everything of its database. A
// rollback drops nothing.
//
// Writes that pass by the wrapper are not seen: until the result's TTL, or [Invalidate].
//
// A result from the cache cannot be told from the database's: values, column types,
// NULLs. Errors are not cached. Queries in a transaction, and those on a connection whose
// session was changed (temporary tables, [Unwrap]), go to the database.
//
// # Concurrency
//
// A sql.DB is safe for concurrent use, and stays so. Equal queries that miss at the same
// time run once, in the whole fleet; each runs on the connection of its own caller and
// under that caller's context. Where it fails, those who waited for it run their own.
//
// # Failure
//
// A failure of the cache never fails a statement: it is counted ([StatsOf]), logged, and
// costs up to larder.DefaultCacheTimeout. Where Redis does not answer, queries run.
// Invalidations that cannot be delivered are tried again while the process lives, and it
// does not use what they concern until then.
package sqlcache
