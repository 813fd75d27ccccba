// Package sandbox runs the Lua scripts of the embedded engine, as Redis 7 runs
// them: with its globals, its conversion of types and its error texts, and with
// nothing else of the host within reach.
//
//	p, err := sandbox.Compile("return redis.call('GET', KEYS[1])")
//	s := sandbox.New()
//	v := s.Run(ctx, p, sandbox.Run{Keys: []string{"a"}, Host: host, Limit: 5 * time.Second})
//
// # What a script cannot do
//
// It cannot reach files, processes, the environment or Go; it cannot leave
// anything behind for the next script (globals, library tables and the
// metatable of strings are read-only, and so is the host's random source); it
// cannot run longer than its limit, not inside a library function either; and
// it cannot take much more memory than maxHeapGrowth: strings, table indexes,
// call depth, nesting and replies are bounded, and a run whose heap grows
// beyond the bound is stopped.
//
// # What differs from Redis
//
// There are no coroutines, no cmsgpack and no struct. A script that runs into
// its limit is stopped even if it has written. Strings that are used as numbers
// without tonumber follow Go's syntax (so "010" is 8 there).
//
// # Concurrency
//
// A Program is immutable and may be shared. A State runs one script at a time.
//
// # Failure
//
// Run never panics and never returns a Go error: what goes wrong in a script is
// a reply of kind conn.Failure, as a client of Redis would see it.
package sandbox
