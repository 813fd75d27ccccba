// Package catalog knows what a database itself knows of its tables, and turns the
// names in a statement into a plan for its cache: which tables a result follows
// from, through views and partitions, and which tables a write may change, through
// cascades, triggers and partitions.
//
// A [Catalog] is a snapshot; it does not change. What it cannot vouch for is not
// cacheable, and a write that it cannot follow to its end may change everything.
package catalog
