// Package describe is what the Describe methods of the features share: words for
// types, durations and sizes, for people to read. The same input always has the same
// words, since documents made of them are compared.
package describe
