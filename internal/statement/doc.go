// Package statement tells what an SQL text reads and writes, as far as the text can
// tell, for package sqlcache.
//
// It fails closed. What it does not fully understand is [Unknown], and what of a
// SELECT it cannot vouch for is said in [Statement.Why]; so a construct that it has
// never heard of costs a cache hit and never a stale row.
package statement
