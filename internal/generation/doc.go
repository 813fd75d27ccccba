// Package generation makes invalidation of a group one command.
//
// A tag, and a namespace as a whole, has a generation: a random number under a
// Redis key of its own. A load captures the generations of its tags before it
// begins; the entry carries them and counts only while they are still the
// current ones. A new generation therefore ends all entries of the tag at once,
// and no load that began under the old one can come back. A generation that was
// evicted or expired is made anew, with another number: a miss, never a stale
// value.
//
// A [Table] remembers the current generations of one process. With a tracking
// connection it is told when they change, so that checking costs no round trip.
package generation
