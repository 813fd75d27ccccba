// Package limithttp limits HTTP requests with package ratelimit: a net/http
// middleware, and functions that name the one who asks.
//
//	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
//	m, err := limithttp.New(limiter, limithttp.Options{
//		Key: limithttp.First(limithttp.APIKey("X-API-Key"), limithttp.IP(limithttp.IPOptions{Trusted: trusted})),
//	})
//	…
//	http.ListenAndServe(addr, m.Handler(mux))
//
// Every answer carries the fields RateLimit-Policy and RateLimit of
// draft-ietf-httpapi-ratelimit-headers. A request over the limit gets status 429 with
// Retry-After and a body of type application/problem+json (RFC 9457); one that a deny
// list refuses 403; one that nobody can decide, where Options.Away is AwayDeny and
// Redis does not answer, 503.
//
// # Concurrency
//
// A Middleware is safe for concurrent use, and starts no goroutine.
//
// # Failure
//
// What happens while Redis is away is the limiter's Options.Away. What the limiter
// returns as an error (a key of another type, a cost over the limit) is answered with
// 500, or by Options.Error.
package limithttp
