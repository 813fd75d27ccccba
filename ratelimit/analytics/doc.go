// Package analytics counts rate-limit decisions in Redis, where the dashboard and
// the analytics of @upstash/ratelimit find them, and reads them again.
//
// A limiter with Options.Analytics writes; this is for reading:
//
//	r, err := analytics.NewReader(c, "@upstash/ratelimit")
//	…
//	top, err := r.Top(ctx, 24*time.Hour, 5)
//	for _, row := range top.Limited {
//		fmt.Println(row.Identifier, row.Count)
//	}
//
// Each hour has a sorted set, prefix:events:<Unix ms of the hour>, whose members are
// small JSON objects and whose scores are counts. The bytes of a member are those
// that JSON.stringify makes in TypeScript, so that both add to the same member.
//
// # Concurrency
//
// All methods are safe for concurrent use. A Recorder owns one goroutine; Close ends
// it and waits.
//
// # Failure
//
// Recording never fails and never waits for Redis. Counts are written once a second;
// those that Redis refuses are kept for the next time, up to MaxPending different
// members, and those of the last second are lost with the process.
package analytics
