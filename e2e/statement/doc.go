// Package statement holds larder's analyser of SQL, internal/statement, against the
// parser of PostgreSQL itself: on the analyser's corpus, on statements made at random
// by a grammar, and on whatever the fuzzer finds.
//
// The parser is C code of a size that no user of larder should have to build, so it
// stands in this module. Its first build takes half a minute and more.
//
// # Failure
//
// Where the analyser overlooks a relation, a function or a write, names a row that is
// not the only one, or finds what is not there, the test prints the statement with
// what both say of it. Not to understand a statement is no failure, if the corpus
// says so.
package statement
