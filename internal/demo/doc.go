// Package demo is the tool behind "larder demo": a documentation server over
// the standard library's own sources, with and without a cache in front of its
// database, and a load generator that checks every answer.
//
// [Run] parses the sources into a SQLite or PostgreSQL database, starts two instances of the
// application (two processes on a Redis server, two sets of caches in one
// process on the embedded engine), sends both the same requests first uncached
// and then cached while a writer, who has logged in, changes rows and
// invalidates, and returns a [Report].
//
// Before SQLite stands a larder.Cache for each kind of answer, whose keys and tags the
// application drops itself. On PostgreSQL it has package sqlcache below its statements
// and says nothing of what it writes; each statement is then read by itself, and an
// answer is as old as the oldest of them.
//
// # What is checked
//
// Each package, each group of search results and the aggregate has a version
// that every write to it raises in the transaction of the write; an answer
// carries the version that was read in the transaction of its data. The load
// generator keeps, per thing, the versions whose invalidation has returned, and
// through which instance. An answer to a request that began after that, and
// carries a lower version, is
//
//   - stale, if the invalidation went through the instance that answers, or
//     returned more than [StalenessBound] before the request began;
//   - lagging otherwise: the other instance had not heard of it yet.
//
// "Returned" is when the load generator has the answer to the write, so a lag
// shorter than the publishing of the change and the way of that answer, some
// 0.2 ms, is not seen.
//
// The writer's session (package session) counts what he looks at and changes,
// through both instances at once. When he leaves, each instance has to know all
// of it, and after his log-out none may know him.
//
// Each write is told of in a feed (a durable topic of package event, as
// server-sent events). The load generator listens to both instances: each has
// to tell of every write once, in order.
//
// What the application keeps in Redis it declares (package strategy); GET /strategy of
// an instance prints the document.
//
// # Concurrency and failure
//
// Run owns its goroutines, child processes and files; when it returns, by an
// error or because its context has ended, they are gone. A child process ends
// with its parent, however that ends.
package demo
