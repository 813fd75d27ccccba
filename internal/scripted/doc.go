// Package scripted is a Redis server in memory whose failures are scripted: it
// accepts and never answers, answers half, delays pushes or replies, dies,
// refuses, comes back. Everything in between it answers for real, from an
// embedded engine.
//
// It has no network: its connections are pairs of buffers, whose waiting is
// durable in a testing/synctest bubble. The Redis client therefore runs on the
// bubble's fake clock, and what a test asserts of time is exact:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := scripted.New(engine)
//		t.Cleanup(server.Close)
//		c, err := redisconn.Open(t.Context(), scripted.URL, redisconn.Options{Dial: server.Dial})
//		…
//		thaw := server.Break(scripted.Fault{Kind: scripted.Freeze})
//		… // fake time passes; callers are refused, the connection is cut
//		thaw()
//	})
//
// Engine, server, client and cache must be made in the bubble that uses them.
//
// # Concurrency
//
// All methods may be called from several goroutines.
//
// # Failure
//
// What a client does wrong, a command that cannot be read, ends its connection,
// as it would on a real server.
package scripted
