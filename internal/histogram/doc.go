// Package histogram counts durations in log-linear buckets.
//
// Each power of two of nanoseconds, from 2^10 (1 µs) to 2^36 (69 s), is divided into
// 8 buckets of equal width, in the manner of HdrHistogram; one more bucket takes what
// is shorter, one what is longer. The layout is fixed, so that counts of different
// processes and minutes are added bucket by bucket, and a quantile is off by at most
// 1/16 of itself (6.25 %), however much was added.
//
// A [Live] is what is counted into; [Counts] is what it held, sparse, to be kept, sent
// and added.
//
// # Concurrency
//
// All methods of Live are safe for concurrent use and lock-free. Counts are immutable
// once made.
package histogram
