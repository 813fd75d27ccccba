//go:build race

package e2e

// buildFlags give the gateway the race detector, which makes it exit with an error.
var buildFlags = []string{"-race"}
