// Package model is a Redis in a few hundred lines of Go, as far as the cache asks for
// one: strings with an expiry, pushes, and each of the cache's scripts written down a
// second time. Tests that try every order of events run the real cache over it, some
// hundred times a second where an engine with an interpreter would do a few dozen.
//
// It is checked against the scripts themselves, on the embedded engine in fake time and
// on a real Redis, with histories that are drawn: a step whose answer or whose effect
// differs is an error of one of the two.
//
// # Concurrency
//
// All methods may be called from several goroutines. Each call is atomic, and pushes are
// delivered before it returns.
//
// # Failure
//
// A command or a script that it does not know is an error in its answer.
package model
