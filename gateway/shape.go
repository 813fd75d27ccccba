package gateway

import "github.com/larder-go/larder/conn"

// shape is how a reply in RESP3, which is what conn gives, differs from the
// RESP2 that clients expect, beyond maps becoming flat.
type shape uint8

const (
	flat    shape = iota // maps become lists of keys and values
	pairs                // [[member, score], …] becomes [member, score, …]
	streamy              // a map from stream to entries becomes [[stream, entries], …]
)

// shapes are of the commands that need one.
var shapes = map[string]shape{
	"zrange": pairs, "zrevrange": pairs, "zrangebyscore": pairs, "zrevrangebyscore": pairs,
	"zunion": pairs, "zinter": pairs, "zdiff": pairs, "zrandmember": pairs,
	"zpopmin": pairs, "zpopmax": pairs, "hrandfield": pairs,
	"xread": streamy, "xreadgroup": streamy,
}

// each calls fn with the elements that an aggregate has in RESP2.
func each(v conn.Value, s shape, fn func(e conn.Value, s shape)) {
	switch {
	case s == pairs:
		for _, e := range v.Elems {
			if e.Kind != conn.Array {
				fn(e, flat)
				continue
			}
			for _, inner := range e.Elems {
				fn(inner, flat)
			}
		}
	case s == streamy && v.Kind == conn.Map:
		for i := 0; i+1 < len(v.Elems); i += 2 {
			fn(conn.Value{Kind: conn.Array, Elems: v.Elems[i : i+2]}, flat)
		}
	default:
		for _, e := range v.Elems {
			fn(e, flat)
		}
	}
}

// count is how often each calls fn.
func count(v conn.Value, s shape) (n int) {
	if s == flat {
		return len(v.Elems)
	}
	each(v, s, func(conn.Value, shape) { n++ })
	return n
}
