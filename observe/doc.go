// Package observe is the contract between Larder's features and whoever watches
// them. It imports the standard library only.
//
// A feature takes an [Observer] in its options. It registers a [Source] when it is
// made and takes it out when it is closed; what it counts is read through the source
// when somebody asks, so counting costs the hit path nothing that it does not cost
// without an observer. Beside that, work that leaves the process (a read from Redis,
// a load, a fill, a command) is bracketed by [Observer.Begin], which carries traces
// and durations.
//
// telemetry.Telemetry is the Observer that comes with Larder. A nil Observer is
// allowed in all options, and means that nobody watches.
//
// # Concurrency
//
// An Observer and the Read function of a Source are called from many goroutines at
// once. Read must neither block nor call the Observer.
//
// # Failure
//
// An Observer returns no errors: what it cannot do with a figure it keeps to itself.
// It must not block.
package observe
