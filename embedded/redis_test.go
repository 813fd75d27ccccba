package embedded

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// A real Redis answers the same commands and scripts; the replies must be equal.

func TestCommandsAnswerAsRedis(t *testing.T) {
	r, c := startRedis(t), open(t, Options{})
	for _, line := range []string{
		"PING", "PING hello", "ECHO x", "SET a 1", "GET a", "GET missing", "SET a 2 NX", "SET a 2 XX GET", "SET n 5 NX GET",
		"INCR a", "INCR b", "APPEND b xyz", "INCR b", "STRLEN b", "GETRANGE b 1 2", "SETRANGE b 2 QQ", "GET b",
		"MSET k1 v1 k2 v2", "MGET k1 k2 k3", "MSETNX k1 x k9 y", "DEL k1 k2 k3", "EXISTS a a b",
		"SET t v EX 100", "TTL t", "PERSIST t", "TTL t", "EXPIRE t 100 GT", "EXPIRE t 100", "EXPIRE t 50 GT", "EXPIRE t 200 NX", "TTL t",
		"SET t v KEEPTTL", "TTL t", "SET t v", "TTL t", "EXPIRE t -1", "EXISTS t", "EXPIRE missing 10", "TTL missing",
		"SET t v PXAT 1", "GET t", "TTL t", "SADD t m", "TTL t", "DEL t", "SET t v EX 0", "SET t v EX abc", "SETEX t 10 v", "TTL t",
		"RENAME t u", "TTL u", "EXISTS t", "RENAME missing x", "COPY u w", "TTL w", "SET w2 x EX 5", "SET src y", "COPY src w2 REPLACE", "TTL w2",
		"GETEX u PERSIST", "TTL u", "GETDEL u", "GETDEL u", "EXPIREAT w 1", "EXISTS w", "PEXPIREAT a 99999999999999", "EXPIRE a 9999999999", "PERSIST a",
		"HSET h f 1 g 2", "HGET h f", "HGETALL h", "HMGET h f x", "HINCRBY h f 4", "HDEL h x", "HDEL h f", "HLEN h", "HSETNX h g 1", "HEXISTS h g", "TYPE h",
		"RPUSH l a b c", "LRANGE l 0 -1", "LPOP l", "RPOP l 2", "LPOP l", "LLEN l", "LPUSHX l x",
		"SADD s a b", "SADD s a", "SISMEMBER s a", "SMISMEMBER s a z", "SCARD s", "SMEMBERS s", "SREM s a", "SREM s zz",
		"ZADD z 1 a 2.5 b", "ZSCORE z b", "ZSCORE z x", "ZRANGE z 0 -1", "ZRANGE z 0 -1 WITHSCORES", "ZINCRBY z 1 a", "ZCARD z", "ZRANK z a", "ZRANGEBYSCORE z 1 3", "ZREM z a b", "EXISTS z", "ZMSCORE z a",
		"ZADD z 1 a 2.5 b 3 c", "ZRANGEBYSCORE z 1 3 WITHSCORES", "ZREVRANGE z 0 -1 WITHSCORES", "ZUNION 1 z WITHSCORES", "ZINTER 1 z WITHSCORES", "ZPOPMIN z", "ZPOPMAX z 1", "ZPOPMIN z 5", "ZPOPMIN z 5", "ZPOPMIN z", "ZUNION 1 nosuch",
		"HSET hr f v", "HRANDFIELD hr 1 WITHVALUES", "HRANDFIELD hr", "HKEYS hr", "HVALS hr", "HSCAN hr 0", "HSCAN hr 0 MATCH f*", "HSCAN hr 0 COUNT 5 MATCH x*", "SSCAN s 0", "SSCAN s 0 MATCH [^z]", "SCAN 0 MATCH hr COUNT 1000", "SCAN 0 COUNT 1000 MATCH \xffh*", "KEYS h[r]", "KEYS \xff*", "SCAN 0 MATCH", "ZADD zs 1 a 2 b", "ZSCAN zs 0 MATCH b",
		"XADD st 1-1 f v", "XADD st 1-2 f w", "XLEN st", "XRANGE st - +", "XREAD COUNT 1 STREAMS st 0", "XREAD STREAMS st 9", "XGROUP CREATE st g 0", "XREADGROUP GROUP g c STREAMS st >", "XACK st g 1-1", "XPENDING st g", "XDEL st 1-1", "XTRIM st MAXLEN 0", "EXISTS st",
		"SINTERCARD 2 s s", "SUNIONSTORE ss s", "SUNIONSTORE ss nosuch", "EXISTS ss", "SADD ss x", "ZUNIONSTORE zz 1 nosuch", "EXISTS zz", "XLEN nosuch", "SMOVE ss s2 b", "SMEMBERS s2", "LMOVE l l2 LEFT RIGHT", "RPUSH l a b", "LMOVE l l2 LEFT RIGHT", "LPOS l b", "LMPOP 1 l LEFT", "LINSERT l2 BEFORE a z", "LRANGE l2 0 -1",
		"GETSET gs 1", "GETSET gs 2", "INCRBYFLOAT gs 0.5", "INCRBY gs 1", "DECR cnt", "HINCRBYFLOAT hr g 1.5", "BITOP AND bb bits bits", "EXPIRETIME gs", "SET ab v EXAT 8000000000", "EXPIRETIME ab", "PEXPIRETIME ab", "TOUCH ab x", "RANDOMKEY x", "GEOADD geo 13.361389 38.115556 P", "GEODIST geo P P", "SET k v NX XX", "SET k v FOO",
		"GET s", "LPUSH a x", "GET", "SET a", "NOSUCH x", "EVAL", "SELECT 0", "DBSIZE",
		"SETBIT bits 7 1", "GETBIT bits 7", "BITCOUNT bits", "PFADD p a b", "PFCOUNT p", "TYPE missing", "UNLINK a b", "OBJECT NOSUCH a",
		"SCRIPT EXISTS abc", "EVALSHA 0123456789012345678901234567890123456789 0", "FLUSHALL", "DBSIZE", "PUBLISH ch m", "PUBSUB NUMPAT", "PUBSUB NUMSUB x",
	} {
		compare(t, r, c, strings.Fields(line))
	}
}

func TestScriptsAnswerAsRedis(t *testing.T) {
	r, c := startRedis(t), open(t, Options{})
	for _, s := range []string{
		"return 1", "return 3.99", "return -3.99", "return 'x'", "return true", "return false", "return nil", "return {1,2,nil,4}", "return {1,'a',{2,3},false,true}", "return {}",
		"return {ok='FINE'}", "return {err='MY bad'}", "return redis.error_reply('bad')", "return redis.error_reply('MY bad')", "return redis.error_reply('-MY bad')", "return redis.status_reply('S')",
		"return {double=3.5}", "return {map={a=1}}", "return {set={a=true}}", "return {big_number='123'}", "redis.setresp(3) return true", "redis.setresp(3) return false",
		"redis.setresp(3); return redis.call('HGETALL','nohash')", "redis.setresp(3); redis.call('ZADD','rz',1.5,'a'); return redis.call('ZSCORE','rz','a')",
		"return redis.call('SET',KEYS[1],ARGV[1])", "return redis.call('GET',KEYS[1])", "return redis.call('GET','missing')", "return {redis.call('GET','missing') == false}",
		"return redis.call('SET','f',0.1)", "return redis.call('GET','f')", "redis.call('SET','f',1e20) return redis.call('GET','f')", "redis.call('SET','f',123456789012) return redis.call('GET','f')",
		"return tostring(0.1)", "return tostring(1e15)", "return tostring(123456789012345)", "return tostring(-0.5)", "return 1 .. ''", "return 1.5 .. 'x' .. 2", "return tostring(1/0)", "return tostring(2^53)",
		"return tonumber('010')", "return tonumber('0x1F')", "return tonumber('ff',16)", "return tostring(tonumber('1e3'))", "return tostring(tonumber('x'))", "return tostring(tonumber(' 12 '))", "return tostring(tonumber('1_0'))", "return tostring(tonumber(''))",
		"return redis.pcall('NOSUCH').err", "return redis.pcall('GET').err", "return redis.pcall('INCR')['err']",
		"redis.call('SET','str','x') return redis.pcall('LPUSH','str',1).err", "local ok,e=pcall(redis.call,'LPUSH','str',1) return {tostring(ok), type(e), e.err}",
		"return redis.pcall('SUBSCRIBE','x').err", "return redis.pcall('EVAL','return 1',0).err", "return redis.pcall('MULTI').err",
		"return redis.sha1hex('')", "return redis.sha1hex('abc')", "return redis.replicate_commands()", "return redis.LOG_WARNING",
		"return cjson.encode({})", "return cjson.encode({1,2,3})", "return cjson.encode({a='x/\"\\\\'})", "return cjson.encode({true,false,cjson.null})", "return cjson.encode(1.5)", "return cjson.encode(1e15)", "return cjson.encode({[1]=1,[3]=3})", "return cjson.encode('\\1\\127é')",
		"return cjson.decode('[1,2,{\"a\":\"b\"}]')[3].a", "return tostring(cjson.decode('null') == cjson.null)", "return type(cjson.null)", "return cjson.decode('\"\\\\u00e9\\\\ud83d\\\\ude00\"')", "return tostring(pcall(cjson.decode,'{'))", "return tostring(pcall(cjson.decode,'[1,]'))", "return tostring(pcall(cjson.encode,{[1]=1,[100]=1}))", "return #cjson.decode('[]')",
		"return bit.band(0xff,0x0f)", "return bit.bor(1,2,4)", "return bit.bxor(5,1)", "return bit.bnot(0)", "return bit.lshift(1,31)", "return bit.rshift(-1,28)", "return bit.arshift(-8,1)", "return bit.tohex(255)", "return bit.tohex(-1,-4)", "return bit.tobit(0xffffffff)", "return bit.rol(0x12345678,12)", "return bit.bswap(0x12345678)",
		"return string.format('%d %5.2f %s %q %x %%', 3, 1.234, 'a', 'b\"', 255)", "return string.format('%5s|%-5s|%.2s','ab','ab','abc')", "return string.format('%g %g %e', 0.1, 1e20, 12345.678)", "return string.format('%c%c',65,66)", "return string.format('%05d %+d %i', 42, 7, 8)", "return string.format('%s', 1e15)",
		"return {string.find('hello world','o w')}", "return {string.find('hello','l+')}", "return {string.find('a.b','.',1,true)}", "return {string.match('key=val','(%w+)=(%w+)')}", "return {string.match('  x ','^%s*(.-)%s*$')}", "return {string.gsub('hello','l','L')}", "return {string.gsub('hello','(l)(.)','%2%1')}", "return {string.gsub('abc','%w',{a='1',b=true})}", "return {string.gsub('abc','',' -')}", "return {string.gsub('x y','%w',function(c) return c..c end, 1)}",
		"local t={} for w in string.gmatch('a bb ccc','%a+') do t[#t+1]=w end return t", "local t={} for k,v in string.gmatch('a=1,b=2','(%w+)=(%w+)') do t[#t+1]=k..v end return t", "return {string.find('f(a(b)c)d','%b()')}", "return {string.find('THE (quick) fox','%((%a+)%)')}", "return {string.gsub('THE (quick) fox','%f[%a]%a+','X')}", "return {string.find('abc','b',-1)}", "return {string.match('2024-01-02','(%d+)-(%d+)-(%d+)')}", "return {string.match('abc','()b()')}", "return {string.find('a]c','[]]')}", "return {string.find('a-c','[a%-]', 2)}", "return {string.gsub('abab','^a','x')}", "return {string.match('xx','(x)%1')}",
		"return string.rep('ab',3)", "return string.upper('aé')", "return string.reverse('abc')", "return {string.byte('abc',1,-1)}", "return string.sub('hello',-3,-2)", "return #'abc'", "return ('x'):rep(3)",
		"return table.concat({1,2,3},',')", "return table.concat({},',')", "local t={3,1,2} table.sort(t) return t", "local t={3,1,2} table.sort(t,function(a,b) return a>b end) return t", "local t={1,2} table.insert(t,3) table.insert(t,1,0) return t", "local t={1,2,3} return {table.remove(t,1), table.remove(t), #t}", "return {unpack({1,2,3},2)}", "return select('#',1,nil,3)", "return {select(2,'a','b','c')}",
		"return math.floor(3.7)", "return {math.max(1,5,3), math.min(2,1)}", "return tostring(math.pi)", "return tostring(math.huge)", "return math.fmod(7,3)", "return -7 % 3",
		"return KEYS[1]", "return #ARGV", "return type(KEYS)", "return tostring(_G ~= nil)", "return _VERSION", "local n=0 for k in pairs(redis) do n=n+1 end return n > 10 and 'many' or 'few'",
		"return pcall(error,'x') and 1 or 0", "local ok,e=pcall(error,{err='E x'}) return e.err", "local ok,e=pcall(error,'msg',0) return e", "local ok,e=pcall(function() error('msg') end) return e", "return {xpcall(function() return 1 end, function(e) return e end)}", "return tostring(select(2, pcall(assert,false,'am')))",
		"local f=loadstring('return 1+1') return f()", "local f,e=loadstring('x x') return tostring(f)", "local f=load(function() return nil end) return type(f)",
		"local t=setmetatable({},{__index=function(_,k) return k..'!' end}) return t.x", "local t=setmetatable({},{__concat=function(a,b) return 'cc' end}) return t..'x'", "local t=setmetatable({},{__concat=function(a,b) return 'cc' end}) return 'a'..t..'x'",
		"return rawget(_G,'nosuch') == nil and 1 or 0", "return type(dofile)", "return type(print)",
	} {
		got, err := c.Do(t.Context(), conn.Cmd("EVAL", s, "1", "k1", "v1"))
		if err != nil {
			got = failure(strings.TrimPrefix(err.Error(), "conn: the server answered: "))
		}
		want := r.do(t, "EVAL", s, "1", "k1", "v1")
		if show(got) != show(want) {
			t.Errorf("%s\n got %s\nwant %s", s, show(got), show(want))
		}
	}
}

func compare(t *testing.T, r *realRedis, c *Conn, args []string) {
	t.Helper()
	got, err := c.Do(t.Context(), conn.Cmd(args[0], args[1:]...))
	if err != nil {
		got = failure(strings.TrimPrefix(err.Error(), "conn: the server answered: "))
	}
	if want := r.do(t, args...); show(got) != show(want) {
		t.Errorf("%q\n got %s\nwant %s", args, show(got), show(want))
	}
}

// show prints a reply; of an error only the code, except in nested replies;
// unordered replies are sorted.
func show(v conn.Value) string {
	switch v.Kind {
	case conn.Failure:
		return "error " + strings.SplitN(v.Str, " ", 2)[0]
	case conn.Array, conn.Map, conn.Set:
		parts := make([]string, len(v.Elems))
		for i, e := range v.Elems {
			parts[i] = show(e)
		}
		if v.Kind == conn.Set {
			sort.Strings(parts)
		}
		return v.Kind.String() + "[" + strings.Join(parts, " ") + "]"
	}
	return fmt.Sprintf("%s(%d %q)", v.Kind, v.Int, v.Str)
}

type realRedis struct {
	c net.Conn
	r *bufio.Reader
}

func startRedis(t *testing.T) *realRedis {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "unix", redistest.Start(t).SocketPath())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	r := &realRedis{c, bufio.NewReader(c)}
	r.do(t, "HELLO", "3")
	return r
}

func (r *realRedis) do(t *testing.T, args ...string) conn.Value {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(r.c, b.String()); err != nil {
		t.Fatal(err)
	}
	v, err := parseReply(r.read(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// read returns the bytes of one reply.
func (r *realRedis) read(t *testing.T) string {
	t.Helper()
	line, err := r.r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return line
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(r.r, body); err != nil {
			t.Fatal(err)
		}
		return line + string(body)
	case '%':
		n *= 2
		fallthrough
	case '*', '~', '>':
		for range n {
			line += r.read(t)
		}
	}
	return line
}
