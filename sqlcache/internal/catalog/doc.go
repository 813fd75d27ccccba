// Package catalog knows what a database itself knows of its tables, and turns the
// names in a statement into a plan for its cache: which tables a result follows
// from, through views and partitions, and which tables a write may change, through
// cascades, triggers and partitions.
//
//	c, err := catalog.Load(ctx, connection)
//	plan := c.Plan(statement.Analyze(text), searchPath)
//
// A [Catalog] is a snapshot; it does not change, so any number of goroutines may use
// it, and the owner decides when a newer one is due: after each plan with Schema, and
// where Outdated says that a name is not in it.
//
// # Failure
//
// What a catalog cannot vouch for is not cacheable, and a write that it cannot follow
// to its end may change everything. It believes what functions say of themselves:
// that an IMMUTABLE one reads no tables, and that a STABLE one writes none. Of a
// VOLATILE one it reads the text, if that is simple enough.
package catalog
