package statement

import "time"

// Kind is what a statement does, as far as a cache is concerned.
type Kind int

// The kinds of statements.
const (
	// Unknown is whatever was not fully understood: it may do anything.
	Unknown Kind = iota
	// Select only reads. Whether its result may be cached depends on Statement.Why.
	Select
	// Write changes rows of the tables in Statement.Writes.
	Write
	// Schema changes definitions (CREATE, ALTER, DROP, GRANT, COMMENT …), or rows without
	// saying which (TRUNCATE, REFRESH, DO, CALL, COPY FROM, EXECUTE …).
	Schema
	// Session changes what later statements on the same connection mean or see, writes
	// too: SET (also SET LOCAL), RESET, DISCARD, temporary tables, PREPARE, a SELECT that
	// calls set_config.
	Session
	// Begin, Commit and Rollback end or start a transaction; Savepoint is whatever moves
	// inside one (SAVEPOINT, RELEASE, ROLLBACK TO). AND CHAIN, which does both, and
	// PREPARE TRANSACTION, which ends one that may yet be committed, are Unknown.
	Begin
	Commit
	Rollback
	Savepoint
	// Harmless changes nothing that a cache could hold, and returns nothing worth
	// caching: SHOW, EXPLAIN without ANALYZE, LISTEN, NOTIFY, LOCK, ANALYZE, VACUUM,
	// FETCH, CLOSE, DEALLOCATE, SET TRANSACTION, and a text without a statement.
	Harmless
)

// Statement is what one SQL text says. Several statements in one text, however
// harmless each of them, are Unknown.
type Statement struct {
	Kind Kind
	// Why says, for people, why the result of a Select must not be cached, or what of
	// an Unknown was not understood. A Select without it may be cached as far as the
	// text can tell.
	Why string
	// Reads are the relations whose rows the statement looks at, each once, without
	// the names of its CTEs; Writes are those whose rows it changes, in the order of the
	// text. They are in Reads only if it names them there too.
	Reads  []Name
	Writes []Target
	// Functions are those called, each once, as written: the catalog knows whether
	// they are stable. Keywords that take no parentheses (CURRENT_DATE …) show in Why.
	// Syntax that stands for an immutable function (COALESCE, EXTRACT …) is not listed.
	Functions []Name
	// Casts are the types of casts and typed literals other than the built-in ones that
	// the analyser knows by their bare name, each once.
	Casts []Name
	// Operators are those that are not built into PostgreSQL, each once.
	Operators []string
	// Pins are the columns that a SELECT from one relation, an UPDATE or a DELETE
	// compares with a value by =, all of them ANDed at the top of WHERE, so that only
	// rows with these values are read or changed.
	Pins []Pin
	// Params is the highest $n, or the number of ?.
	Params int
	// Hint is what a comment says: see Hint.
	Hint Hint
}

// Name is an identifier as PostgreSQL reads it: folded to lower case unless quoted.
// Schema is empty where none was given; a database before it makes a statement Unknown.
type Name struct{ Schema, Name string }

// Target is a relation whose rows change.
type Target struct {
	Name
	How How
	// Columns are those that an UPDATE sets, or the DO UPDATE of an INSERT. An Update
	// without them (MERGE, REPLACE) may set any.
	Columns []string
}

// How is what happens to the rows of a Target.
type How int

// The ways to change rows.
const (
	Insert How = iota
	Update     // also INSERT … ON CONFLICT DO UPDATE, REPLACE, and MERGE whatever its branches
	Delete
)

// Pin says that a column of the statement's one relation equals a value.
type Pin struct {
	Column string
	// Param is n for $n, or the position of the ? from 1; 0 where Literal is the value,
	// an integer or a string without its quotes.
	Param   int
	Literal string
}

// Hint is the comment /* larder: ttl=30s tags=a,b */ or /* larder: off */, anywhere in the
// text. A comment that begins with "larder:" and says anything else sets Err, which
// names what is wrong and what is allowed.
type Hint struct {
	Given bool
	Off   bool
	TTL   time.Duration // 0 where it names none
	Tags  []string
	Err   error
}
