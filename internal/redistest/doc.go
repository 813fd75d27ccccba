// Package redistest starts real Redis servers for tests, on free ports of the
// loopback interface, and ends them by their own process id.
//
//	func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }
//
//	func TestSomething(t *testing.T) {
//		srv := redistest.Shared(t)         // one per test binary: use unique keys
//		own := redistest.Start(t)          // one for this test: may be killed, paused, flushed
//		c, err := redisconn.Open(t.Context(), own.URL(), redisconn.Options{})
//		…
//	}
//
// What goes wrong with real servers can be had too: StartReplica and CutOff make a
// replica that lags, Promote makes it the master, StopLosing is a power failure,
// MoveSlot moves a slot of a cluster, and Spawn runs the test binary once more, as
// a second process.
//
// # Concurrency
//
// The functions may be called from parallel tests. The methods of one Server may
// not be called at the same time as its Stop or Restart.
//
// # Failure
//
// Everything that goes wrong ends the test with the server's last log lines. A
// missing redis-server skips the test only on a developer's machine, that is
// where neither CI nor LARDER_REQUIRE_REDIS is set.
//
// Waiting for a server to answer is the only place in the project's tests where
// polling is allowed; it is bounded by a deadline.
package redistest
