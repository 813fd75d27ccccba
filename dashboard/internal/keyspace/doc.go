// Package keyspace looks at the keys of a Redis in small steps: [List] finds keys by
// prefix, page by page; a [Census] walks the whole keyspace over time and estimates
// what each namespace takes.
//
// Both use SCAN with a COUNT, never KEYS, and end each step after a bounded number of
// commands. In a cluster they go from node to node.
//
// A sample reads the first bytes of an entry, its header and its tags. Redis counts
// that as a use, so a key that is looked at is evicted a little later.
//
// # Concurrency
//
// List keeps nothing. The methods of a Census are safe for concurrent use.
//
// # Failure
//
// Errors of the connection are returned as they are. A page that was begun at a node
// which has left the cluster ends with [ErrGone].
package keyspace
