package embedded

import "strings"

// commands is the list of what the engine executes, by upper-case name. A
// command of miniredis that is not in it is unknown: its keys would be too.
var commands map[string]*command

func init() {
	// Assigned here because commands of the list look it up.
	commands = make(map[string]*command, 256)
	for _, list := range [][]command{
		stringCommands, keyCommands, hashCommands, fieldCommands, listCommands, setCommands, zsetCommands,
		streamCommands, otherCommands, ownCommands, refusedCommands,
	} {
		for _, c := range list {
			commands[strings.ToUpper(c.name)] = &c
		}
	}
}

var stringCommands = []command{
	{name: "append", arity: 3, flags: write | grow, first: 1, last: 1},
	{name: "bitcount", arity: -2, flags: read, first: 1, last: 1},
	{name: "bitop", arity: -4, flags: write | grow, first: 2, last: -1, changes: writesFirst},
	{name: "bitpos", arity: -3, flags: read, first: 1, last: 1},
	{name: "decr", arity: 2, flags: write | grow, first: 1, last: 1},
	{name: "decrby", arity: 3, flags: write | grow, first: 1, last: 1},
	{name: "get", arity: 2, flags: read, first: 1, last: 1},
	{name: "getbit", arity: 3, flags: read, first: 1, last: 1},
	{name: "getdel", arity: 2, flags: write | unless, first: 1, last: 1},
	{name: "getex", arity: -2, flags: write, first: 1, last: 1},
	{name: "getrange", arity: 4, flags: read, first: 1, last: 1},
	{name: "getset", arity: 3, flags: write | grow, first: 1, last: 1},
	{name: "incr", arity: 2, flags: write | grow, first: 1, last: 1},
	{name: "incrby", arity: 3, flags: write | grow, first: 1, last: 1},
	{name: "incrbyfloat", arity: 3, flags: write | grow, first: 1, last: 1},
	{name: "mget", arity: -2, flags: read, first: 1, last: -1},
	{name: "mset", arity: -3, flags: write | grow, first: 1, last: -1, step: 2},
	{name: "msetnx", arity: -3, flags: write | grow | unless, first: 1, last: -1, step: 2},
	{name: "psetex", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "set", arity: -3, flags: write | grow, first: 1, last: 1, refuse: refuseSet},
	{name: "setbit", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "setex", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "setnx", arity: 3, flags: write | grow | unless, first: 1, last: 1},
	{name: "setrange", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "strlen", arity: 2, flags: read, first: 1, last: 1},
}

var keyCommands = []command{
	{name: "copy", arity: -3, flags: write | grow | unless, first: 1, last: 2, changes: writesLast, refuse: refuseCopyToDB},
	{name: "dbsize", arity: 1, flags: read | keyspace},
	{name: "del", arity: -2, flags: write | unless, first: 1, last: -1},
	{name: "dump", arity: 2, flags: read, first: 1, last: 1},
	{name: "exists", arity: -2, flags: read, first: 1, last: -1},
	{name: "expire", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "expireat", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "expiretime", arity: 2, flags: read | lifetime, first: 1, last: 1, shape: rounded("PEXPIRETIME")},
	{name: "flushall", arity: -1, flags: write | flush},
	{name: "flushdb", arity: -1, flags: write | flush},
	{name: "keys", arity: 2, flags: read | keyspace, args: allKeys, shape: matchingKeys},
	{name: "memory", arity: -2, flags: read, first: 2, last: 2},
	{name: "object", arity: -2, flags: read, first: 2, last: 2},
	{name: "persist", arity: 2, flags: write | unless, first: 1, last: 1},
	{name: "pexpire", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "pexpireat", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "pexpiretime", arity: 2, flags: read | lifetime, first: 1, last: 1},
	{name: "pttl", arity: 2, flags: read | lifetime, first: 1, last: 1},
	{name: "randomkey", arity: 1, flags: read | keyspace},
	{name: "rename", arity: 3, flags: write, first: 1, last: 2},
	{name: "renamenx", arity: 3, flags: write | unless, first: 1, last: 2},
	{name: "restore", arity: -4, flags: write | grow, first: 1, last: 1},
	{name: "scan", arity: -2, flags: read | keyspace, args: withoutMatch(2), shape: scanned(2, 1)},
	{name: "touch", arity: -2, flags: read, first: 1, last: -1},
	{name: "ttl", arity: 2, flags: read | lifetime, first: 1, last: 1, shape: rounded("PTTL")},
	{name: "type", arity: 2, flags: read, first: 1, last: 1},
	{name: "unlink", arity: -2, flags: write | unless, first: 1, last: -1},
}

var hashCommands = []command{
	{name: "hdel", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "hexists", arity: 3, flags: read, first: 1, last: 1},
	{name: "hget", arity: 3, flags: read, first: 1, last: 1},
	{name: "hgetall", arity: 2, flags: read, first: 1, last: 1},
	{name: "hincrby", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "hincrbyfloat", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "hkeys", arity: 2, flags: read, first: 1, last: 1},
	{name: "hlen", arity: 2, flags: read, first: 1, last: 1},
	{name: "hmget", arity: -3, flags: read, first: 1, last: 1},
	{name: "hmset", arity: -4, flags: write | grow, first: 1, last: 1},
	{name: "hrandfield", arity: -2, flags: read, first: 1, last: 1, shape: pairedBy("WITHVALUES")},
	{name: "hscan", arity: -3, flags: read, first: 1, last: 1, args: withoutMatch(3), shape: scanned(3, 2)},
	{name: "hset", arity: -4, flags: write | grow, first: 1, last: 1},
	{name: "hsetnx", arity: 4, flags: write | grow | unless, first: 1, last: 1},
	{name: "hstrlen", arity: 3, flags: read, first: 1, last: 1},
	{name: "hvals", arity: 2, flags: read, first: 1, last: 1},
}

var listCommands = []command{
	{name: "lindex", arity: 3, flags: read, first: 1, last: 1},
	{name: "linsert", arity: 5, flags: write, first: 1, last: 1},
	{name: "llen", arity: 2, flags: read, first: 1, last: 1},
	{name: "lmove", arity: 5, flags: write | grow | unless, first: 1, last: 2},
	{name: "lmpop", arity: -4, flags: write | unless, keys: countedKeys(1)},
	{name: "lpop", arity: -2, flags: write | unless, first: 1, last: 1},
	{name: "lpos", arity: -3, flags: read, first: 1, last: 1},
	{name: "lpush", arity: -3, flags: write | grow, first: 1, last: 1},
	{name: "lpushx", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "lrange", arity: 4, flags: read, first: 1, last: 1},
	{name: "lrem", arity: 4, flags: write | unless, first: 1, last: 1},
	{name: "lset", arity: 4, flags: write, first: 1, last: 1},
	{name: "ltrim", arity: 4, flags: write, first: 1, last: 1},
	{name: "rpop", arity: -2, flags: write | unless, first: 1, last: 1},
	{name: "rpoplpush", arity: 3, flags: write | grow | unless, first: 1, last: 2},
	{name: "rpush", arity: -3, flags: write | grow, first: 1, last: 1},
	{name: "rpushx", arity: -3, flags: write | unless, first: 1, last: 1},
}

var setCommands = []command{
	{name: "sadd", arity: -3, flags: write | grow | unless, first: 1, last: 1},
	{name: "scard", arity: 2, flags: read, first: 1, last: 1},
	{name: "sdiff", arity: -2, flags: read, first: 1, last: -1},
	{name: "sdiffstore", arity: -3, flags: write | grow, first: 1, last: -1, changes: writesFirst, shape: emptied},
	{name: "sinter", arity: -2, flags: read, first: 1, last: -1},
	{name: "sintercard", arity: -3, flags: read, keys: countedKeys(1)},
	{name: "sinterstore", arity: -3, flags: write | grow, first: 1, last: -1, changes: writesFirst, shape: emptied},
	{name: "sismember", arity: 3, flags: read, first: 1, last: 1},
	{name: "smembers", arity: 2, flags: read, first: 1, last: 1},
	{name: "smismember", arity: -3, flags: read, first: 1, last: 1},
	{name: "smove", arity: 4, flags: write | unless, first: 1, last: 2},
	{name: "spop", arity: -2, flags: write | unless, first: 1, last: 1},
	{name: "srandmember", arity: -2, flags: read, first: 1, last: 1},
	{name: "srem", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "sscan", arity: -3, flags: read, first: 1, last: 1, args: withoutMatch(3), shape: scanned(3, 1)},
	{name: "sunion", arity: -2, flags: read, first: 1, last: -1},
	{name: "sunionstore", arity: -3, flags: write | grow, first: 1, last: -1, changes: writesFirst, shape: emptied},
}

var zsetCommands = []command{
	{name: "zadd", arity: -4, flags: write | grow, first: 1, last: 1},
	{name: "zcard", arity: 2, flags: read, first: 1, last: 1},
	{name: "zcount", arity: 4, flags: read, first: 1, last: 1},
	{name: "zincrby", arity: 4, flags: write | grow, first: 1, last: 1},
	{name: "zinter", arity: -3, flags: read, keys: countedKeys(1), shape: pairedBy("WITHSCORES")},
	{name: "zinterstore", arity: -4, flags: write | grow, keys: storedKeys, changes: writesFirst, shape: emptied},
	{name: "zlexcount", arity: 4, flags: read, first: 1, last: 1},
	{name: "zmpop", arity: -4, flags: write | unless, keys: countedKeys(1)},
	{name: "zmscore", arity: -3, flags: read, first: 1, last: 1},
	{name: "zpopmax", arity: -2, flags: write, first: 1, last: 1, shape: pairedByCount},
	{name: "zpopmin", arity: -2, flags: write, first: 1, last: 1, shape: pairedByCount},
	{name: "zrandmember", arity: -2, flags: read, first: 1, last: 1, shape: pairedBy("WITHSCORES")},
	{name: "zrange", arity: -4, flags: read, first: 1, last: 1, shape: pairedBy("WITHSCORES")},
	{name: "zrangebylex", arity: -4, flags: read, first: 1, last: 1},
	{name: "zrangebyscore", arity: -4, flags: read, first: 1, last: 1, shape: pairedBy("WITHSCORES")},
	{name: "zrank", arity: -3, flags: read, first: 1, last: 1},
	{name: "zrem", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "zremrangebylex", arity: 4, flags: write | unless, first: 1, last: 1},
	{name: "zremrangebyrank", arity: 4, flags: write | unless, first: 1, last: 1},
	{name: "zremrangebyscore", arity: 4, flags: write | unless, first: 1, last: 1},
	{name: "zrevrange", arity: -4, flags: read, first: 1, last: 1, shape: pairedBy("WITHSCORES")},
	{name: "zrevrangebylex", arity: -4, flags: read, first: 1, last: 1},
	{name: "zrevrangebyscore", arity: -4, flags: read, first: 1, last: 1, shape: pairedBy("WITHSCORES")},
	{name: "zrevrank", arity: -3, flags: read, first: 1, last: 1},
	{name: "zscan", arity: -3, flags: read, first: 1, last: 1, args: withoutMatch(3), shape: scanned(3, 2)},
	{name: "zscore", arity: 3, flags: read, first: 1, last: 1},
	{name: "zunion", arity: -3, flags: read, keys: countedKeys(1), shape: pairedBy("WITHSCORES")},
	{name: "zunionstore", arity: -4, flags: write | grow, keys: storedKeys, changes: writesFirst, shape: emptied},
}

var streamCommands = []command{
	{name: "xack", arity: -4, flags: write | unless, first: 1, last: 1},
	{name: "xadd", arity: -5, flags: write | grow, first: 1, last: 1},
	{name: "xautoclaim", arity: -6, flags: write, first: 1, last: 1},
	{name: "xclaim", arity: -6, flags: write, first: 1, last: 1},
	{name: "xdel", arity: -3, flags: write | unless, first: 1, last: 1},
	{name: "xgroup", arity: -2, flags: write | grow, first: 2, last: 2},
	{name: "xinfo", arity: -2, flags: read, first: 2, last: 2},
	{name: "xlen", arity: 2, flags: read, first: 1, last: 1},
	{name: "xpending", arity: -3, flags: read, first: 1, last: 1},
	{name: "xrange", arity: -4, flags: read, first: 1, last: 1},
	{name: "xread", arity: -4, flags: read, keys: streamKeys, refuse: refuseBlock, shape: byStream},
	{name: "xreadgroup", arity: -7, flags: write | unless, keys: streamKeys, refuse: refuseBlock, shape: byStream},
	{name: "xrevrange", arity: -4, flags: read, first: 1, last: 1},
	{name: "xtrim", arity: -4, flags: write | unless, first: 1, last: 1},
}

var otherCommands = []command{
	{name: "echo", arity: 2},
	{name: "geoadd", arity: -5, flags: write | grow, first: 1, last: 1},
	{name: "geodist", arity: -4, flags: read, first: 1, last: 1},
	{name: "geopos", arity: -2, flags: read, first: 1, last: 1},
	{name: "georadius", arity: -6, flags: write | grow, keys: radiusKeys, changes: writesLast},
	{name: "georadius_ro", arity: -6, flags: read, first: 1, last: 1},
	{name: "georadiusbymember", arity: -5, flags: write | grow, keys: radiusKeys, changes: writesLast},
	{name: "georadiusbymember_ro", arity: -5, flags: read, first: 1, last: 1},
	{name: "geosearch", arity: -7, flags: read, first: 1, last: 1},
	{name: "pfadd", arity: -2, flags: write | grow | unless, first: 1, last: 1},
	{name: "pfcount", arity: -2, flags: read, first: 1, last: -1},
	{name: "pfmerge", arity: -2, flags: write | grow, first: 1, last: -1, changes: writesFirst},
	{name: "ping", arity: -1},
	{name: "time", arity: 1},
}
