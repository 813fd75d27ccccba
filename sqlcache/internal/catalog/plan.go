package catalog

// Table is a base table or materialised view of the database. All tables that
// partitioning or inheritance link are one, under the name of their top: rows move
// between them, and a reader of one may read the others.
type Table struct {
	Schema, Name string
	// Key are the columns of its primary key, in order; nil where it has none, where
	// equality of one of them is not equality of bytes (collations, citext, floats,
	// numeric), so that a value cannot name a row, or where several tables are one.
	Key []KeyColumn
}

// KeyColumn is a column of a primary key.
type KeyColumn struct {
	Name string
	Type KeyType
}

// KeyType says how a value of a key column is written in a row's tag: see Canonical.
type KeyType int

// The types of key columns that name rows.
const (
	Integer KeyType = iota
	Text
	UUID
)

// Plan is what a statement means for the cache of one database.
type Plan struct {
	// Cacheable says that its result may be cached under the tags of Reads; Why says why not.
	Cacheable bool
	Why       string
	// Reads are all tables whose rows, or absence of rows, the result follows from.
	Reads []*Table
	// Row pins a read to one row of Reads[0]: it holds a value for each column of the
	// key. Nil for any other read.
	Row []Value
	// Writes are all tables whose rows may change, by the statement or by what it sets
	// off.
	Writes []Write
	// Everything says that any table may change, Schema that any definition may: the
	// snapshot then is to be read again too.
	Everything, Schema bool
	// Session says that the connection's later results may differ from those of others.
	Session bool
	// Outdated says that the statement names what this snapshot does not have: a newer
	// one may.
	Outdated bool
}

// Write is a table whose rows may change.
type Write struct {
	*Table
	// Rows holds the one row that changes, like Plan.Row; nil for any.
	Row []Value
	// Adds says that rows are added and none is changed.
	Adds bool
}

// Value is the value of a key column: a parameter of the statement, or a literal in its
// canonical form.
type Value struct {
	Param   int // n for the nth argument, from 1; 0 for Literal
	Literal string
}
