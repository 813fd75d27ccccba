// Package benchmarks measures Larder side by side with other libraries. It is a
// module of its own, so that users do not inherit what is only measured against.
//
//	cd benchmarks && go test -run '^$' -bench RateLimit -benchtime 100000x
//
// Each benchmark alternates with a bare command of the client library in the same
// run; x-bare is the ratio of the times. Absolute times drift between machines and
// days, ratios hold.
package benchmarks
