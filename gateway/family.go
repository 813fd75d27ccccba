package gateway

import "strings"

// family is what sort of command one is, for counting: there are too many names for a
// metric, and clients choose them.
type family uint8

const (
	familyOther family = iota
	familyString
	familyHash
	familyList
	familySet
	familySortedSet
	familyStream
	familyKey
	familyBitmap
	familyGeo
	familyJSON
	familyPubSub
	familyScript
	families
)

// familyNames are the labels of the metric "larder.gateway.commands".
var familyNames = [families]string{
	familyOther: "other", familyString: "string", familyHash: "hash", familyList: "list", familySet: "set",
	familySortedSet: "sorted_set", familyStream: "stream", familyKey: "key", familyBitmap: "bitmap",
	familyGeo: "geo", familyJSON: "json", familyPubSub: "pubsub", familyScript: "script",
}

// familyOf finds the family of a command by its name in lower case.
func familyOf(name string) family {
	if f, ok := familyByName[name]; ok {
		return f
	}
	for _, p := range familyByPrefix {
		if strings.HasPrefix(name, p.prefix) {
			return p.family
		}
	}
	return familyOther
}

var familyByPrefix = []struct {
	prefix string
	family family
}{
	{"json.", familyJSON},
	{"geo", familyGeo},
	{"eval", familyScript},
	{"fcall", familyScript},
	{"script", familyScript},
}

var familyByName = func() map[string]family {
	m := map[string]family{}
	for f, names := range map[family]string{
		familyString: `append decr decrby get getdel getex getrange getset incr incrby incrbyfloat lcs mget mset
			msetnx psetex set setex setnx setrange strlen substr`,
		familyHash: `hdel hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys
			hlen hmget hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen
			httl hvals`,
		familyList: `blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange
			lrem lset ltrim rpop rpoplpush rpush rpushx`,
		familySet: `sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop
			srandmember srem sscan sunion sunionstore`,
		familySortedSet: `bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard
			zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore
			zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank
			zscan zscore zunion zunionstore`,
		familyStream: `xack xackdel xadd xautoclaim xclaim xdel xdelex xgroup xinfo xlen xpending xrange xread xreadgroup
			xrevrange xsetid xtrim`,
		familyKey: `copy del exists expire expireat expiretime keys object persist pexpire pexpireat pexpiretime pttl
			randomkey rename renamenx scan sort sort_ro touch ttl type unlink`,
		familyBitmap: `bitcount bitfield bitfield_ro bitop bitpos getbit setbit`,
		familyPubSub: `publish pubsub spublish`,
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = f
		}
	}
	return m
}()
