// Package cachetest holds conformance suites and fakes that users and every
// backend run.
//
//	func TestConn(t *testing.T) {
//		srv := startServer(t)
//		cachetest.RunConn(t, func(t *testing.T) conn.Conn { return mustOpen(t, srv) })
//	}
//
// # Concurrency
//
// A suite runs its subtests one after another, as some of them flush the server.
// Suites over different servers may run in parallel.
//
// # Failure
//
// A suite waits on channels with a deadline, never for a fixed time: it fails
// where an event does not come, and is fast where all do. What a backend says in
// its Capabilities that it cannot do is not asked of it.
package cachetest
