package embedded

import (
	"strings"

	"github.com/larder-go/larder/conn"
)

// miniredis matches patterns by regular expressions, which know characters and
// not bytes, and panics on what is not UTF-8. It is therefore asked for
// everything, and the reply is filtered.

func allKeys([]string) []string { return []string{"KEYS", "*"} }

func matchingKeys(_ *Engine, _ *call, args []string, v reply) reply {
	v.Elems = filter(v.Elems, 1, args[1])
	return v
}

// withoutMatch removes MATCH and its pattern from the options of SCAN (whose
// options begin at args[2]) and its kind.
func withoutMatch(from int) func([]string) []string {
	return func(args []string) []string {
		at := matchAt(args, from)
		if at == 0 {
			return args
		}
		out := append([]string(nil), args[:at]...)
		return append(out, args[at+2:]...)
	}
}

// scanned filters what SCAN and its kind have found; step is the number of
// elements per hit, the first of which is matched.
func scanned(from, step int) func(*Engine, *call, []string, reply) reply {
	return func(_ *Engine, _ *call, args []string, v reply) reply {
		if len(v.Elems) != 2 {
			return v
		}
		hits := v.Elems[1]
		if at := matchAt(args, from); at > 0 {
			hits.Elems = filter(hits.Elems, step, args[at+1])
		}
		for i := range hits.Elems {
			if hits.Elems[i].Kind == conn.Float { // Redis has ZSCAN's scores as text
				hits.Elems[i].Kind = conn.Bulk
			}
		}
		return conn.Value{Kind: v.Kind, Elems: []conn.Value{v.Elems[0], hits}}
	}
}

func matchAt(args []string, from int) int {
	for i := from; i+1 < len(args); i += 2 {
		if strings.EqualFold(args[i], "MATCH") {
			return i
		}
	}
	return 0
}

func filter(list []conn.Value, step int, pattern string) []conn.Value {
	out := []conn.Value{}
	for i := 0; i+step <= len(list); i += step {
		if matches(pattern, list[i].Str) {
			out = append(out, list[i:i+step]...)
		}
	}
	return out
}
