package embedded

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the contract's digest: it names, it does not protect
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime/metrics"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// identity is what distinguishes one life of an engine from every other.
type identity struct {
	runID, replID string
	started       time.Time
}

func newIdentity() identity {
	var b [40]byte
	_, _ = rand.Read(b[:]) // never fails
	return identity{runID: hex.EncodeToString(b[:20]), replID: hex.EncodeToString(b[20:])}
}

var infoSections = []struct {
	name string
	text func(e *Engine) string
}{
	{"Server", func(e *Engine) string {
		return lines(
			"redis_version:"+Version,
			"redis_mode:standalone",
			"run_id:"+e.id.runID,
			"tcp_port:0",
			fmt.Sprintf("server_time_usec:%d", e.now.UnixMicro()),
			fmt.Sprintf("uptime_in_seconds:%d", int(e.now.Sub(e.id.started).Seconds())),
		)
	}},
	{"Clients", func(e *Engine) string {
		return lines(fmt.Sprintf("connected_clients:%d", len(e.conns)), "blocked_clients:0")
	}},
	{"Memory", func(*Engine) string {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return lines(
			fmt.Sprintf("used_memory:%d", sample[0].Value.Uint64()),
			"maxmemory:0",
			"maxmemory_policy:noeviction",
		)
	}},
	{"Persistence", func(*Engine) string { return lines("loading:0", "aof_enabled:0") }},
	{"Stats", func(e *Engine) string {
		return lines(
			fmt.Sprintf("total_commands_processed:%d", e.stats.commands),
			fmt.Sprintf("expired_keys:%d", e.stats.expired),
			"evicted_keys:0",
		)
	}},
	{"Replication", func(e *Engine) string {
		return lines("role:master", "connected_slaves:0", "master_replid:"+e.id.replID, "master_repl_offset:0")
	}},
	{"Cluster", func(*Engine) string { return lines("cluster_enabled:0") }},
	{"Keyspace", func(e *Engine) string {
		n := e.sizeLocked()
		if n == 0 {
			return ""
		}
		return lines(fmt.Sprintf("db0:keys=%d,expires=%d,avg_ttl=0", n, e.deadlines.len()))
	}},
}

func lines(list ...string) string { return strings.Join(list, "\r\n") + "\r\n" }

// incarnation is what conn.Conn.Incarnation returns for every key.
func (id identity) incarnation() uint64 {
	sum := sha1.Sum([]byte(id.runID + id.replID)) //nolint:gosec // see above
	return binary.BigEndian.Uint64(sum[:])
}

// runInfo answers with the sections that args name, or with all.
func runInfo(e *Engine, x *call, args []string) reply {
	all := len(args) == 1
	want := map[string]bool{}
	for _, a := range args[1:] {
		a = strings.ToLower(a)
		all = all || a == "all" || a == "default" || a == "everything"
		want[a] = true
	}
	var b strings.Builder
	for _, s := range infoSections {
		if !all && !want[strings.ToLower(s.name)] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + s.name + "\r\n" + s.text(e))
	}
	if x.resp2 {
		return bulk(b.String())
	}
	return conn.Value{Kind: conn.Verbatim, Str: b.String()}
}
