// Package torture looks for violations of the cache's promises: several processes
// read, write and invalidate over one Redis, each behind a network of its own that
// fails, while the Redis is restarted, flushed, filled up, frozen and failed over, and
// the processes are killed at every step. What they did is recorded, and judged.
//
//	t, err := torture.New(torture.Options{For: time.Minute, Seed: 1, Child: []string{self, "torture-process"}})
//	…
//	report, err := t.Run(ctx)
//
// The source of truth is in the process that runs the torture. Its values are versions
// that only grow, and every one that a cache returns names the load that brought it.
//
//	what is checked                                                             by
//	P1  no Get returns a version older than an invalidation that had returned   check.go
//	P2  nor after Redis lost what it knew: the same check, under such faults    check.go
//	P3  loads of a key do not overlap, while Redis is reachable                 load.go
//	P4  calls end in time, nothing panics or fails without reason               duration.go
//	P5  what was pending is delivered, and counts from then on                  check.go
//	P6  memory, goroutines and queues are bounded                               bound.go
//	P7  every key has an expiry                                                 expiry.go
//
// # Fairness
//
// Time is the machine's, which may stall. Every process measures for how long it was
// not run, and bounds grow by a multiple of that. What is known to cost a promise (a
// promise that holds while Redis is reachable, and a fault that cuts it off) is
// excused by the record of the fault.
//
// # Concurrency
//
// A Torture is used once, by one goroutine.
//
// # Failure
//
// What cannot be set up is an error of New or Run; what goes wrong under torture is in
// the Report. All servers and processes that were started are ended, by their ids.
package torture
