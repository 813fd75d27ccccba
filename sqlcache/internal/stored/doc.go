// Package stored is what package sqlcache keeps in Redis: results as bytes ([Codec])
// and the tags that a key names ([Key]). It knows no database, so that its parsers can
// be fuzzed without building one.
//
// A Result does not change and may be shared; Rows are used by one goroutine at a time,
// as database/sql does. Bytes that are damaged are an error, never a wrong result.
package stored
