// Package minute is the bytes of what one process counted in one minute, as
// telemetry keeps them in Redis; docs/wire-format.md describes them.
//
// A [Record] holds absolute contents of its minute, not changes: writing it again,
// because the answer to the first writing got lost, changes nothing. Records of many
// processes and minutes are added by whoever reads them.
//
// # Failure
//
// [Parse] reads bytes that anybody may have written: it returns an error, allocates at
// most in proportion to their number, and never panics.
package minute
