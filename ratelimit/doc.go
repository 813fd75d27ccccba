// Package ratelimit limits how often something may happen, for all processes
// that share a Redis. It is wire-compatible with @upstash/ratelimit: a service in
// Go and one in TypeScript that use the same prefix, algorithm and identifier
// share one limit.
//
//	l, err := ratelimit.New(c, ratelimit.Options{
//		Algorithm: ratelimit.SlidingWindow(10, 10*time.Second),
//	})
//	…
//	d, err := l.Limit(ctx, userID)
//	if err != nil {
//		return err
//	}
//	if !d.Allowed {
//		return fmt.Errorf("too many requests, try again in %v", d.RetryAfter)
//	}
//
// A decision is one round trip; in a cluster two, where it depends on more than
// one key. An identifier that was refused is refused in the process until it could
// be allowed again. Package limithttp is a middleware, package analytics reads what
// Options.Analytics writes.
//
// # Concurrency
//
// All methods are safe for concurrent use. A Limiter owns at most two goroutines
// (one that writes analytics, one that writes what cached windows have allowed);
// Close ends them and waits.
//
// # Failure
//
// Where Redis does not answer within Options.Timeout, Options.Away decides: by
// default a limiter in this process with the same policy. Such a decision has
// Reason ReasonTimeout or ReasonUnavailable, and no error. Errors are left for
// what is wrong with the call or the configuration: an empty identifier, a cost
// over the limit, a key of another type, an ended context. A Decision that comes
// with an error does not allow.
//
// docs/ratelimit.md says which algorithm guarantees what, which keys are written,
// and where the behaviour differs from the original.
package ratelimit
