// Package conn is the contract between Larder's features and a Redis server.
//
// A feature asks for the part it needs (a [Doer], an [Evaler], a [Tracker] …);
// a backend implements [Conn], which is all of them together. Three backends
// exist: redisconn (Redis, Valkey, Cluster, Sentinel), embedded (in process)
// and upstash (REST). Nothing here knows a client library; the package imports
// the standard library only.
//
// # Concurrency
//
// Every method of every interface here is safe for concurrent use. Commands of
// one Pipeline call that name the same key are executed in order; nothing is
// said about the order of two calls that run at the same time.
//
// # Errors
//
// A reply that is an error arrives as [*ServerError]. Everything else that goes
// wrong on the way (no connection, a cut connection, a deadline) arrives as an
// error for which errors.Is(err, [ErrUnavailable]) holds, except that an ended
// context keeps its own error in the chain too. A command that failed on the way
// may still be executed by the server later: writers must be safe against that.
//
// A command that cannot be sent (no arguments, KeyAt out of range, one that would
// change the state of a shared connection) is refused with an error that is
// neither of the two, before anything is sent.
//
// Neither values nor arguments nor passwords appear in the text of an error.
package conn
