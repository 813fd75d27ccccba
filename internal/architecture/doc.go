// Package architecture holds the tests that keep the house in order: which
// package may import which, where packages are documented, what may read the
// environment, how large files and surfaces may grow. It has no other content.
//
// The tables at the top of each test file are the rules; a change of the
// architecture starts there and in docs/architecture.md. Every finding names
// the file and what would be allowed instead.
//
// The rules read the sources and not the build, so that they see files of all
// systems and build tags and work while a package does not compile. Each rule
// has fixtures in testdata that it must object to: a txtar archive of a small
// module, below the findings that are expected.
package architecture
