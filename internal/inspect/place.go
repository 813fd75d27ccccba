package inspect

import (
	"context"
	"net"
	"strconv"

	"github.com/larder-go/larder/conn"
)

// place names the server of a key. What a cluster does not tell stays empty.
func place(ctx context.Context, c Reader, key string) Place {
	caps := c.Capabilities()
	p := Place{Server: caps.Server, Version: caps.Version}
	if !caps.Cluster {
		return p
	}
	slot, err := c.Do(ctx, conn.Cmd("CLUSTER", "KEYSLOT", key))
	if err != nil || slot.Kind != conn.Int {
		return p
	}
	p.Slot = &slot.Int
	if ranges, err := c.Do(ctx, conn.Cmd("CLUSTER", "SLOTS")); err == nil {
		p.Node = masterOf(ranges.Elems, slot.Int)
	}
	return p
}

// masterOf finds a slot in the reply to CLUSTER SLOTS: a list of first slot,
// last slot, master, replicas.
func masterOf(ranges []conn.Value, slot int64) string {
	for _, r := range ranges {
		e := r.Elems
		if len(e) < 3 || e[0].Int > slot || e[1].Int < slot || len(e[2].Elems) < 2 {
			continue
		}
		if host := e[2].Elems[0].Str; host != "" {
			return net.JoinHostPort(host, strconv.FormatInt(e[2].Elems[1].Int, 10))
		}
	}
	return ""
}
