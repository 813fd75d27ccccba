package embedded

import (
	"strings"

	"github.com/larder-go/larder/conn"
)

// rounded answers in seconds, rounded as Redis does it; miniredis truncates.
func rounded(milliseconds string) func(*Engine, *call, []string, reply) reply {
	return func(e *Engine, x *call, args []string, v reply) reply {
		if v.Int < 0 {
			return v
		}
		v = e.wire.call([]string{milliseconds, args[1]}, !x.resp2)
		v.Int = (v.Int + 500) / 1000
		return v
	}
}

// pairedBy makes pairs of a flat list, as RESP3 has them, if the option is
// given.
func pairedBy(option string) func(*Engine, *call, []string, reply) reply {
	return func(_ *Engine, x *call, args []string, v reply) reply {
		for _, a := range args[2:] {
			if strings.EqualFold(a, option) {
				return paired(x, v)
			}
		}
		return v
	}
}

func pairedByCount(_ *Engine, x *call, args []string, v reply) reply {
	if len(args) < 3 {
		return v
	}
	return paired(x, v)
}

func paired(x *call, v reply) reply {
	if v.Kind == conn.Map {
		v.Kind = conn.Array
	}
	if x.resp2 || v.Kind != conn.Array || len(v.Elems)%2 != 0 || len(v.Elems) > 0 && v.Elems[0].Kind == conn.Array {
		return v
	}
	out := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, 0, len(v.Elems)/2)}
	for i := 0; i < len(v.Elems); i += 2 {
		out.Elems = append(out.Elems, conn.Value{Kind: conn.Array, Elems: v.Elems[i : i+2 : i+2]})
	}
	return out
}

// byStream makes the map that RESP3 has of a list of names and entries.
func byStream(_ *Engine, x *call, _ []string, v reply) reply {
	if x.resp2 || v.Kind != conn.Array {
		return v
	}
	out := conn.Value{Kind: conn.Map}
	for _, stream := range v.Elems {
		out.Elems = append(out.Elems, stream.Elems...)
	}
	return out
}

// emptied removes the destination of an empty result. miniredis would keep it,
// and fail on it later.
func emptied(e *Engine, _ *call, args []string, v reply) reply {
	if v.Kind == conn.Int && v.Int == 0 {
		e.db.Del(args[1])
		e.deadlines.remove(args[1])
	}
	return v
}
