// Package lease is the atomic part of the cache protocol: four scripts on one
// key each, which grant the right to load a value, keep it alive, store the
// value, or give the right back. docs/wire-format.md describes the entry that
// they work on.
//
// A token belongs to one load, not to a client: an invalidation removes it, and
// what was loaded under it can never be stored, also if the same client has been
// granted a lease again in the meantime.
package lease
