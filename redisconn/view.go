package redisconn

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// view is what one node believes about the slots of its cluster.
type view struct {
	ranges []slotRange
	digest string
}

type slotRange struct {
	first, last int
	master      string // host:port, empty if the node does not know it
}

// viewOf reads the reply to CLUSTER SLOTS of the node at addr. Replicas are left
// out: who comes and goes among them does not matter.
func viewOf(v conn.Value, addr string) *view {
	own, _, _ := net.SplitHostPort(addr)
	out := &view{}
	for _, e := range v.Elems {
		if len(e.Elems) < 3 || len(e.Elems[2].Elems) < 2 {
			continue
		}
		first, last := e.Elems[0].Int, e.Elems[1].Int
		if first < 0 || last >= slotCount || first > last {
			continue
		}
		host, port := e.Elems[2].Elems[0], e.Elems[2].Elems[1].Int
		r := slotRange{first: int(first), last: int(last)}
		switch host.Str {
		case "": // the address at which it was asked
			r.master = net.JoinHostPort(own, strconv.FormatInt(port, 10))
		case "?":
		default:
			r.master = net.JoinHostPort(host.Str, strconv.FormatInt(port, 10))
		}
		out.ranges = append(out.ranges, r)
	}
	slices.SortFunc(out.ranges, func(a, b slotRange) int { return a.first - b.first })
	var b strings.Builder
	for _, r := range out.ranges {
		b.WriteString(strconv.Itoa(r.first) + "-" + strconv.Itoa(r.last) + " " + r.master + "\n")
	}
	out.digest = b.String()
	return out
}

// masters are the addresses of all nodes that hold slots.
func (v *view) masters() []string {
	var list []string
	for _, r := range v.ranges {
		if r.master != "" && !slices.Contains(list, r.master) {
			list = append(list, r.master)
		}
	}
	return list
}
