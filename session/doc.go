// Package session keeps the sessions of logged-in and anonymous users in Redis.
//
//	sessions, err := session.New[Cart](c, session.Options{IdleTimeout: 24 * time.Hour})
//	s, err := sessions.Create(ctx, "42", Cart{})                     // s.ID goes to the client, and nowhere else
//	s, err = sessions.Get(ctx, id)                                   // errors.Is(err, session.ErrNotFound): logged out
//	s, err = sessions.Update(ctx, id, func(c *Cart) error { c.Items++; return nil })
//	n, err := sessions.DestroyAll(ctx, "42")                         // log out everywhere
//
// With net/http, [NewMiddleware] reads and sets the cookie; with alexedwards/scs,
// [NewSCS] is a store for its SessionManager.
//
// # Ids
//
// An id is 256 random bits behind 96 bits that say where the session lies: 59
// characters of base64url. Redis is given the SHA-256 of an id, never the id, so a
// dump of Redis logs nobody in. An [ID] is not printed by fmt and slog; to send it
// to the client, convert it to a string.
//
// # Promises
//
// Concurrent updates of one session lose nothing: [Store.Update] compares and
// swaps, and tries again with what it finds.
//
// When [Store.DestroyAll] has returned nil, every session of the user that was
// created before it is gone, also one whose Create, Update or Renew ran at the same
// time on another node or process. All sessions carry the user's generation, which
// each read and each script checks; DestroyAll removes it, in one step. A generation
// that was evicted logs the user out, it never brings a session back.
//
// Sessions end at their absolute lifetime, and with an IdleTimeout when they have
// not been used for as long, by the clock of Redis, to the millisecond. Every key
// expires.
//
// Redis must not lose acknowledged writes: after a failover to a replica that had
// not yet received a Destroy, the session is back. See docs/session.md.
//
// # Concurrency
//
// All methods are safe for concurrent use. There are no goroutines.
//
// # Failure
//
// Where Redis does not answer, every method returns an error that is
// [ErrUnavailable], and never ErrNotFound, so that an outage is not taken for a
// logout. With Options.ServeStale, Get returns what this process has read a short
// while ago instead. A session that cannot be decoded is [ErrCorrupt]. Ids, users
// and data appear in no error.
package session
