// Package orm tests package sqlcache below the libraries that people read their
// databases with: code as sqlc generates it, sqlx, GORM, Bun, and the runtime of ent.
//
// One suite runs over all of them, on a real PostgreSQL: every read through a wrapped
// database is compared with the same read by the same library without the wrapper, the
// second time it must be answered by the cache, and after each kind of write, made here
// or by a second wrapped database on the same Redis, it must show what was written.
//
// ent is used without its generator: its generated code builds the specs of
// entgo.io/ent/dialect/sql/sqlgraph, and so do these tests.
//
// # Failure
//
// Where PostgreSQL or Redis is absent the tests are skipped, unless CI or
// LARDER_REQUIRE_REDIS is set.
package orm
