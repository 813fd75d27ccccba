package gateway_test

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by their SHA-1
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
)

// TestDialect holds what SDKs rely on and Redis does not do, or does in another
// form, in the same words on every backend. The keys of a case are of one slot
// unless it is about several.
func TestDialect(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		for _, tt := range []struct {
			name   string
			before []string
			body   string
			want   string // as in vector
		}{
			{"copy onto itself", []string{setFoo}, `["COPY","foo","foo"]`, `{"result":0}`},
			{"copy", []string{setFoo}, `["COPY","foo","{foo}2"]`, `{"result":1}`},
			{"unlink nothing", nil, `["UNLINK"]`, `{"result":0}`},
			{"del nothing", nil, `["DEL"]`, `{"error":"ERR wrong number of arguments for 'del' command"}`},
			{"select 0", nil, `["SELECT",0]`, `{"result":"OK"}`},
			{"select 1", nil, `["SELECT",1]`, `{"error":"ERR Only 0th database is supported!"}`},
			{"command", nil, `["COMMAND"]`, `={"result":[]}`},
			{"command info", nil, `["COMMAND","INFO","get"]`, `={"result":[]}`},
			{"client setinfo", nil, `["CLIENT","SETINFO","LIB-NAME","x"]`, `{"result":"OK"}`},
			{"client list", nil, `["CLIENT","LIST"]`, notAvail + `CLIENT'`},
			{"script kill", nil, `["SCRIPT","KILL"]`, `~{"error":"NOTBUSY `},
			{"script debug", nil, `["SCRIPT","DEBUG","YES"]`, notAvail + `SCRIPT DEBUG'`},
			{"config", nil, `["CONFIG","GET","maxmemory"]`, notAvail + `CONFIG'`},
			{"config set", nil, `["CONFIG","SET","dir","/"]`, notAvail + `CONFIG'`},
			{"multi", nil, `["MULTI"]`, notAvail + `MULTI'`},
			{"watch", nil, `["watch","k"]`, notAvail + `watch'`},
			{"auth", nil, `["AUTH","x"]`, notAvail + `AUTH'`},
			{"hello", nil, `["HELLO",3]`, notAvail + `HELLO'`},
			{"quit", nil, `["QUIT"]`, notAvail + `QUIT'`},
			{"subscribe", nil, `["SUBSCRIBE","c"]`, notAvail + `SUBSCRIBE'`},
			{"monitor", nil, `["MONITOR"]`, notAvail + `MONITOR'`},
			{"shutdown", nil, `["SHUTDOWN"]`, notAvail + `SHUTDOWN'`},
			{"acl", nil, `["ACL","LIST"]`, notAvail + `ACL'`},
			{"blocking xread", nil, `["XREAD","BLOCK",0,"STREAMS","s","$"]`, notAvail + `XREAD BLOCK'`},
			{"a stream named BLOCK", nil, `["XREAD","STREAMS","BLOCK","0"]`, `={"result":null}`},
			{"bzpopmin", nil, `["BZPOPMIN","z",0]`, notAvail + `BZPOPMIN'`},
			{"case", []string{setFoo}, `["gEt","foo"]`, `{"result":"bar"}`},
			{"a number as name", nil, `[12,"x"]`, notAvail + `12'`},
			{"null", nil, `["SET","k",null]`, `{"error":"ERR null args are not supported"}`},

			{"zrange limit", []string{`["ZADD","z",1,"a",2,"b",3,"c"]`}, `["ZRANGE","z",0,-1,"LIMIT",1,1]`, `={"result":["b"]}`},
			{"zrange limit rev withscores", []string{`["ZADD","z",1,"a",2,"b",3,"c"]`}, `["ZRANGE","z",0,-1,"REV","LIMIT",0,2,"WITHSCORES"]`, `={"result":["c","3","b","2"]}`},
			{"zrange limit beyond", []string{`["ZADD","z",1,"a"]`}, `["ZRANGE","z",0,-1,"LIMIT",5,2]`, `={"result":[]}`},
			{"zrange by score", []string{`["ZADD","z",1,"a",2,"b"]`}, `["ZRANGE","z",1,2,"BYSCORE","LIMIT",1,1]`, `={"result":["b"]}`},

			{"withscores", []string{`["ZADD","z",1,"a",2.5,"b"]`}, `["ZRANGE","z",0,-1,"WITHSCORES"]`, `={"result":["a","1","b","2.5"]}`},
			{"zrevrangebyscore", []string{`["ZADD","z",1,"a",2.5,"b"]`}, `["ZREVRANGEBYSCORE","z",3,0,"WITHSCORES"]`, `={"result":["b","2.5","a","1"]}`},
			{"zunion", []string{`["ZADD","z",1,"a"]`}, `["ZUNION",1,"z","WITHSCORES"]`, `={"result":["a","1"]}`},
			{"zpopmin", []string{`["ZADD","z",1,"a",2,"b"]`}, `["ZPOPMIN","z"]`, `={"result":["a","1"]}`},
			{"zpopmax 2", []string{`["ZADD","z",1,"a",2,"b"]`}, `["ZPOPMAX","z",2]`, `={"result":["b","2","a","1"]}`},
			{"zincrby", nil, `["ZINCRBY","z",1.5,"a"]`, `={"result":"1.5"}`},
			{"zmscore", []string{`["ZADD","z",1,"a"]`}, `["ZMSCORE","z","a","b"]`, `={"result":["1",null]}`},
			{"zscan", []string{`["ZADD","z",1,"a"]`}, `["ZSCAN","z",0]`, `={"result":["0",["a","1"]]}`},
			{"hscan", []string{`["HSET","h","f","v"]`}, `["HSCAN","h",0]`, `={"result":["0",["f","v"]]}`},
			{"hrandfield", []string{`["HSET","h","f","v"]`}, `["HRANDFIELD","h",1,"WITHVALUES"]`, `={"result":["f","v"]}`},
			{"xrange", []string{`["XADD","s","1-1","f","v"]`}, `["XRANGE","s","-","+"]`, `={"result":[["1-1",["f","v"]]]}`},
			{"xread", []string{`["XADD","s","1-1","f","v"]`}, `["XREAD","STREAMS","s","0"]`, `={"result":[["s",[["1-1",["f","v"]]]]]}`},
			{"incrbyfloat", nil, `["INCRBYFLOAT","f",0.5]`, `={"result":"0.5"}`},
			{"geopos of nobody", []string{`["GEOADD","g",13.361389,38.115556,"p"]`}, `["GEOPOS","g","q"]`, `={"result":[null]}`},
			{"info", nil, `["INFO","server"]`, `~{"result":"# Server\r\n`},
			{"script true", nil, `["EVAL","return {true,false,1.9,'x',{}}",0]`, `={"result":[1,null,1,"x",[]]}`},
			{"script hash", []string{`["HSET","h","f","v"]`}, `["EVAL","return redis.call('HGETALL',KEYS[1])",1,"h"]`, `={"result":["f","v"]}`},
			{"large integer", nil, `["EVAL","return 9007199254740993",0]`, `={"result":9007199254740992}`},
			{"scan withtype", []string{setFoo}, `["SCAN",0,"MATCH","fo*","COUNT",100,"WITHTYPE"]`, `={"result":["0",["foo","string"]]}`},
			{"invalid cursor", nil, `["SCAN","x"]`, `{"error":"ERR invalid cursor"}`},

			{"del", []string{`["MSET","a",1,"b",2,"c",3]`}, `["DEL","a","b","c","d"]`, `={"result":3}`},
			{"unlink", []string{`["MSET","a",1,"b",2,"c",3]`}, `["UNLINK","a","b","x"]`, `={"result":2}`},
			{"exists", []string{`["MSET","a",1,"b",2,"c",3]`}, `["EXISTS","a","b","a","x"]`, `={"result":3}`},
			{"touch", []string{`["MSET","a",1,"b",2,"c",3]`}, `["TOUCH","a","b","c","x"]`, `={"result":3}`},
			{"mget", []string{`["MSET","a",1,"b",2,"c",3]`}, `["MGET","c","x","a","b","a"]`, `={"result":["3",null,"1","2","1"]}`},
			{"dbsize", []string{`["MSET","a",1,"b",2,"c",3]`}, `["DBSIZE"]`, `={"result":3}`},
			{"flushdb", []string{`["MSET","a",1,"b",2,"c",3]`}, `["FLUSHDB"]`, `={"result":"OK"}`},
			{"mset odd", nil, `["MSET","a",1,"b"]`, `~{"error":"ERR wrong number of arguments for `},
		} {
			t.Run(tt.name, func(t *testing.T) {
				cl.do(`["FLUSHALL"]`)
				for _, command := range tt.before {
					cl.do(command)
				}
				if a := cl.send("POST", "/", tt.body); !matchesBody(a.body, tt.want) || (a.status == 200) != strings.Contains(tt.want, `"result"`) {
					t.Errorf("%s\n got %d %s\nwant %s", tt.body, a.status, a.body, tt.want)
				}
				// A pipeline of it answers the same.
				cl.do(`["FLUSHALL"]`)
				for _, command := range tt.before {
					cl.do(command)
				}
				a := cl.send("POST", "/pipeline", "["+tt.body+","+tt.body+"]")
				var items []json.RawMessage
				if err := json.Unmarshal([]byte(a.body), &items); err != nil || len(items) != 2 || !matchesBody(string(items[0]), tt.want) {
					t.Errorf("pipelined: %d %s, want %s", a.status, a.body, tt.want)
				}
			})
		}
	})
}

func TestKeyspace(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		var keys []string
		for i := range 300 {
			keys = append(keys, fmt.Sprintf("key:%03d", i))
			cl.do(`["SET","` + keys[i] + `","v"]`)
		}
		var all struct{ Result []string }
		if err := json.Unmarshal([]byte(cl.do(`["KEYS","key:*"]`)), &all); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all.Result)
		if !slices.Equal(all.Result, keys) {
			t.Errorf("KEYS found %d of %d", len(all.Result), len(keys))
		}
		seen := map[string]bool{}
		cursor, rounds := "0", 0
		for {
			var page struct{ Result []json.RawMessage }
			if err := json.Unmarshal([]byte(cl.do(`["SCAN","`+cursor+`","MATCH","key:*","COUNT",20]`)), &page); err != nil {
				t.Fatal(err)
			}
			var found []string
			if json.Unmarshal(page.Result[0], &cursor) != nil || json.Unmarshal(page.Result[1], &found) != nil {
				t.Fatalf("SCAN: %s", page.Result)
			}
			for _, k := range found {
				seen[k] = true
			}
			if rounds++; cursor == "0" || rounds > 1000 {
				break
			}
		}
		if len(seen) != len(keys) || rounds > 500 {
			t.Errorf("SCAN found %d of %d in %d rounds", len(seen), len(keys), rounds)
		}
	})
}

// TestSlots holds what a cluster refuses.
func TestSlots(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		for _, tt := range []struct {
			path, body string
			want       string // elsewhere
			cluster    string
		}{
			{"/", `["RENAME","a","b"]`, `~{"error":"ERR no such key`, `~{"error":"CROSSSLOT `},
			{"/", `["SINTER","a","b"]`, `={"result":[]}`, `~{"error":"CROSSSLOT `},
			{"/", `["ZUNIONSTORE","c",2,"a","b"]`, `={"result":0}`, `~{"error":"CROSSSLOT `},
			{"/", `["EVAL","return #KEYS",2,"a","b"]`, `={"result":2}`, `~{"error":"CROSSSLOT `},
			{"/", `["MSETNX","a",1,"b",2]`, `={"result":1}`, `~{"error":"CROSSSLOT `},
			{"/", `["SINTER","{x}a","{x}b"]`, `={"result":[]}`, `={"result":[]}`},
			{"/multi-exec", `[["SET","a",1],["SET","b",2]]`, `=[{"result":"OK"},{"result":"OK"}]`, `~{"error":"CROSSSLOT `},
			{"/multi-exec", `[["MGET","a","b"]]`, `=[{"result":["1","2"]}]`, `~{"error":"CROSSSLOT `},
			{"/multi-exec", `[["DBSIZE"]]`, `=[{"result":2}]`, `~{"error":"ERR 'dbsize' is not available in a transaction`},
			{"/multi-exec", `[["SET","{x}a",1],["GET","{x}a"],["PING"],["SELECT",0]]`, `=[{"result":"OK"},{"result":"1"},{"result":"PONG"},{"result":"OK"}]`, `=[{"result":"OK"},{"result":"1"},{"result":"PONG"},{"result":"OK"}]`},
			{"/multi-exec", `[["PING"]]`, `=[{"result":"PONG"}]`, `=[{"result":"PONG"}]`},
			{"/multi-exec", `[["SELECT",0]]`, `=[{"result":"OK"}]`, `=[{"result":"OK"}]`},
			{"/multi-exec", `[["PUBLISH","c","m"],["SET","{x}a",2]]`, `=[{"result":0},{"result":"OK"}]`, `=[{"result":0},{"result":"OK"}]`},
			{"/multi-exec", `[["SET","{x}a",1],["GET"]]`, `~{"error":"ERR wrong number`, `~{"error":"ERR wrong number`},
			{"/multi-exec", `[["SET","{x}a",1],[]]`, `~{"error":"ERR empty pipeline command`, `~{"error":"ERR empty pipeline command`},
			{"/multi-exec", `[["SET","{x}a",1,"NOSUCHOPTION"],["GET","{x}a"]]`, `=[{"error":"ERR syntax error"},{"result":"2"}]`, `=[{"error":"ERR syntax error"},{"result":"2"}]`},
			// In order, with what runs everywhere in the middle.
			{
				"/pipeline", `[["MSET","p",1,"q",2,"r",3],["MGET","r","q","p"],["FLUSHALL"],["SET","p",9],["DBSIZE"],["DEL","p","q"],["EXISTS","p","q"]]`,
				`=[{"result":"OK"},{"result":["3","2","1"]},{"result":"OK"},{"result":"OK"},{"result":1},{"result":1},{"result":0}]`,
				`=[{"result":"OK"},{"result":["3","2","1"]},{"result":"OK"},{"result":"OK"},{"result":1},{"result":1},{"result":0}]`,
			},
		} {
			want := tt.want
			if c.Capabilities().Cluster {
				want = tt.cluster
			}
			if a := cl.send("POST", tt.path, tt.body); !matchesBody(a.body, want) {
				t.Errorf("%s\n got %s\nwant %s", tt.body, a.body, want)
			}
		}
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		cl.do(`["SET","{s}k","v"]`)
		text := "#!lua flags=allow-key-locking,no-writes\nreturn redis.call('GET', KEYS[1])"
		sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
		digest := hex.EncodeToString(sum[:])
		quoted, _ := json.Marshal(text)
		sha, eval := `["EVALSHA","`+strings.ToUpper(digest)+`",1,"{s}k"]`, `["EVAL",`+string(quoted)+`,1,"{s}k"]`
		want := func(name, path, body, want string) {
			t.Helper()
			if a := cl.send("POST", path, body); !matchesBody(a.body, want) {
				t.Errorf("%s: %d %s, want %s", name, a.status, a.body, want)
			}
		}
		want("unknown", "/", sha, `~{"error":"NOSCRIPT`)
		want("text", "/", eval, `{"result":"v"}`)
		want("digest", "/", sha, `{"result":"v"}`)
		want("exists", "/", `["SCRIPT","EXISTS","`+digest+`","0"]`, `={"result":[1,0]}`)
		want("pipeline", "/pipeline", `[`+sha+`,["SET","{s}k","w"],`+sha+`]`, `=[{"result":"v"},{"result":"OK"},{"result":"w"}]`)
		want("transaction", "/multi-exec", `[["SET","{s}k","x"],`+sha+`]`, `=[{"result":"OK"},{"result":"x"}]`)
		want("read only", "/", strings.Replace(sha, "EVALSHA", "EVALSHA_RO", 1), `{"result":"x"}`)
		// The server forgets its scripts, as in a restart.
		for _, node := range nodesOf(c) {
			node(conn.Cmd("SCRIPT", "FLUSH"))
		}
		want("after a restart", "/", sha, `{"result":"x"}`)
		want("flush", "/", `["SCRIPT","FLUSH"]`, `{"result":"OK"}`)
		want("flushed", "/", sha, `~{"error":"NOSCRIPT`)
		want("load", "/", `["SCRIPT","LOAD",`+string(quoted)+`]`, `{"result":"`+digest+`"}`)
		want("loaded", "/", sha, `{"result":"x"}`)

		want("plain load", "/", `["SCRIPT","LOAD","return KEYS[1]"]`, `{"result":"4a2267357833227dd98abdedb8cf24b15a986445"}`)
		for _, key := range []string{"a", "b", "c", "d"} { // on all nodes
			want("plain", "/", `["EVALSHA","4a2267357833227dd98abdedb8cf24b15a986445",1,"`+key+`"]`, `{"result":"`+key+`"}`)
		}
		want("exists", "/", `["SCRIPT","EXISTS","4a2267357833227dd98abdedb8cf24b15a986445","`+digest+`"]`, `={"result":[1,1]}`)
		want("only flag", "/", `["EVAL","#!lua flags=allow-key-locking\nreturn 1",0]`, `={"result":1}`)
		want("other flag", "/", `["EVAL","#!lua flags=nosuch\nreturn 1",0]`, `~{"error":"ERR Unexpected flag in script shebang`)
	})
}

// nodesOf are functions that send a command to every node.
func nodesOf(c conn.Conn) (send []func(conn.Command)) {
	d, ok := c.(conn.NodeDoer)
	if !ok {
		return append(send, func(cmd conn.Command) { _, _ = c.Do(bg, cmd) })
	}
	for _, n := range d.Nodes() {
		send = append(send, func(cmd conn.Command) { _, _ = d.DoAt(bg, n, cmd) })
	}
	return send
}
