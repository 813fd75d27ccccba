// Package pgtest starts real PostgreSQL servers for tests and ends them by their own
// process id.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main{M: m}.Run()) }
//
//	func TestSomething(t *testing.T) {
//		url := pgtest.Database(t)                       // an empty one on the shared server
//		own := pgtest.Start(t, "wal_level = logical")   // a server of this test: may be stopped
//		db, err := sql.Open("pgx", own.Database(t))
//		…
//	}
//
// A test binary that needs Redis too says
//
//	os.Exit(redistest.Run(pgtest.Main{M: m}))
//
// The servers listen on a socket in a directory of their own, which nobody but their
// user enters, so no port can be taken. They do not sync their files, which only a
// failing machine could tell: a killed server has all that was committed. The super-user is called postgres and has no password. PostgreSQL does
// not run as root; there, the servers belong to the user postgres or nobody.
//
// # Concurrency
//
// The functions may be called from parallel tests. The methods of one Server may
// not be called at the same time as its Stop or Restart.
//
// # Failure
//
// Everything that goes wrong ends the test with what the server said. A missing
// PostgreSQL skips the test only on a developer's machine, as in package redistest.
package pgtest
