// Package statement tells what an SQL text reads and writes, as far as the text can
// tell, for package sqlcache.
//
//	s := statement.Analyze(`UPDATE users SET name = $1 WHERE id = $2`)
//	// s.Kind is Write; s.Writes[0] is users, of which it sets name;
//	// s.Pins say that only the row whose id is the second argument changes.
//
// The text is split by the rules of PostgreSQL and read by recursive descent, without
// regard to precedence. All functions may be called concurrently.
//
// # Failure
//
// It fails closed. What it does not fully understand is [Unknown], and what of a
// SELECT it cannot vouch for is said in [Statement.Why]; so a construct that it has
// never heard of costs a cache hit and never a stale row. So does what other databases
// or settings would read in another way: strings with \', comments in comments.
//
// What only the values tell, it cannot see. A text column that holds 'now' and is cast
// to a date is one such thing; arguments are another, for which there is [Moving].
package statement
