package gateway

// unavailable are commands that belong to a connection of one's own, to a server
// with several databases, or to its administrator. So do those that the server
// itself calls blocking, admin or pubsub; see refused.
var unavailable = set(
	"multi", "exec", "discard", "watch", "unwatch",
	"auth", "hello", "reset", "quit", "readonly", "readwrite", "asking",
	"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe",
	"blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop", "wait", "waitaof",
	"acl", "cluster", "debug", "latency", "module", "slowlog", "monitor", "sync", "psync", "replconf",
	"replicaof", "slaveof", "failover", "shutdown", "migrate", "move", "swapdb", "restore-asking",
	"bgsave", "bgrewriteaof", "save",
)

// published are the commands of publish/subscribe that are ordinary ones.
var published = set("publish", "spublish", "pubsub")

// unreadable are commands that a reader may not use although they only read:
// they enumerate keys, or run scripts that could.
var unreadable = set("keys", "scan", "randomkey", "eval_ro", "evalsha_ro", "fcall_ro")

// harmless are commands that a reader may use although the server does not call
// them readonly, because they have nothing to do with keys.
var harmless = set("ping", "echo", "time", "select", "command", "client")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// refused tells whether nobody may use a command over REST.
func refused(c, sub *command, d *dialect) bool {
	if d != nil && d.local {
		return false
	}
	if unavailable[c.name] {
		return true
	}
	f := c.flags | sub.flags
	if d != nil && d.guarded {
		f &^= admin
	}
	// XREAD and XREADGROUP are called blocking; their dialect looks at BLOCK.
	return f&admin != 0 || f&pubsub != 0 && !published[c.name] || f&blocking != 0 && c.keys == nil
}

// readable tells whether a read-only token is enough.
func readable(c, sub *command) bool {
	if harmless[c.name] {
		return true
	}
	return sub.flags&readonly != 0 && !unreadable[c.name]
}
