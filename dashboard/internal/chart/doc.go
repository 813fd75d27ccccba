// Package chart draws figures as SVG, on the server.
//
// A drawing stretches to whatever room it is given; its labels are text beside it, so
// that they stay readable at any width. Nothing needs a style attribute or a script,
// which the pages' Content-Security-Policy would refuse: colours are classes.
//
// Each drawing says in words what it shows, and Lines brings its figures along as a
// table, for those who read rather than look.
//
// # Concurrency
//
// All functions are pure.
//
// # Failure
//
// Values that are not numbers, NaN and infinities, are gaps. Names are escaped.
package chart
