package embedded

import (
	"strconv"
	"strings"
)

// countedKeys finds keys after a count at args[at], as in ZUNION 2 a b.
func countedKeys(at int) func([]string) []string {
	return func(args []string) []string {
		if at >= len(args) {
			return nil
		}
		n, err := strconv.Atoi(args[at])
		if err != nil || n < 0 {
			return nil
		}
		return args[at+1 : min(len(args), at+1+min(n, len(args)))]
	}
}

var sourceKeys = countedKeys(2)

// storedKeys finds the destination and then the counted sources.
func storedKeys(args []string) []string {
	if len(args) < 3 {
		return nil
	}
	return append([]string{args[1]}, sourceKeys(args)...)
}

// streamKeys finds the first half of what follows STREAMS.
func streamKeys(args []string) []string {
	for i := 1; i < len(args); i++ {
		if strings.EqualFold(args[i], "STREAMS") {
			rest := args[i+1:]
			return rest[:len(rest)/2]
		}
	}
	return nil
}

// radiusKeys finds the source and after it the key of STORE or STOREDIST.
func radiusKeys(args []string) []string {
	keys := []string{args[1]}
	for i := 4; i+1 < len(args); i++ {
		if strings.EqualFold(args[i], "STORE") || strings.EqualFold(args[i], "STOREDIST") {
			keys = append(keys, args[i+1])
		}
	}
	return keys
}
