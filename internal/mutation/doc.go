// Package mutation takes parts of the protocol out, one at a time, to show that the
// checkers find what is wrong then: a checker that cannot fail proves nothing.
//
// In every ordinary build its names are constants, false, and what stands behind them
// is not compiled. Only a binary that was built with the tag larder_mutation has them
// as variables: LARDER_MUTATION=fence takes the fence out, and so on. `larder torture`
// prints which one.
package mutation
