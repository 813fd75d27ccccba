// Package soak is the tool behind "larder soak": it puts a moderate load on
// everything that Larder has, for minutes or hours, and tells whether anything
// grows that should not.
//
// # Load
//
// Each workload (cache, limiter, session, event, gateway, sqlcache, lifecycle) runs
// at a fixed rate over one connection, with bounded key spaces and lifetimes of
// seconds, so that whatever is bounded has reached its bound soon. "lifecycle"
// opens and closes one of each over and over, and cuts connections: most leaks are
// in what a Close forgets. A new feature is one more entry of workloads.
//
// # What is measured
//
// After a collection: the live heap, goroutines, open file descriptors and the
// resident memory of the process; and of the server its keys, those without an
// expiry, its memory and its connections. What a system does not tell is left out
// of the judgement, which the report says.
//
// # Judgement
//
// See [Judge]. A short run, before which little could have leaked, proves less than
// a long one: the report names the tolerance and so the smallest leak per hour that
// would have been found. [Options].Leak plants one, to show that it is found.
//
// Run may be called once at a time in a process, which it measures as a whole.
package soak
