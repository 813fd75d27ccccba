package gateway_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
)

// vector is one exchange. Before it the server is empty; before are commands
// that are executed first, after is a command whose reply is looked at
// afterwards.
type vector struct {
	no      string
	before  []string
	method  string
	path    string
	body    string
	headers []string
	status  int    // 0 means 200
	want    string // the body as JSON; with ~ in front, a part of it; with = the exact text
	after   string
	reply   string
}

const (
	b64      = "Upstash-Encoding"
	format   = "Upstash-Response-Format"
	setFoo   = `["SET","foo","bar"]`
	notAvail = `~{"error":"ERR Command is not available: '`
)

// vectors are those of the specification, by their numbers, but for the
// streams (51 to 54), which TestStreamVectors has. Of 15 and 16 the keys lie in
// two slots.
var vectors = []vector{
	{no: "1", method: "GET", path: "/set/foo/bar", want: `{"result":"OK"}`},
	{no: "2", before: []string{setFoo}, method: "GET", path: "/get/foo", want: `{"result":"bar"}`},
	{no: "3", method: "GET", path: "/get/nope", want: `={"result":null}`},
	{no: "4", before: []string{setFoo}, method: "GET", path: "/get/foo", headers: []string{b64, "base64"}, want: `{"result":"YmFy"}`},
	{no: "5", method: "GET", path: "/set/foo/bar", headers: []string{b64, "base64"}, want: `{"result":"OK"}`},
	{no: "6", method: "POST", path: "/", body: `["SET","foo","bar","EX",100]`, want: `{"result":"OK"}`, after: `["TTL","foo"]`, reply: `{"result":100}`},
	{no: "7", method: "GET", path: "/set/foo/bar/EX/100", want: `{"result":"OK"}`, after: `["TTL","foo"]`, reply: `{"result":100}`},
	{no: "8", method: "POST", path: "/set/foo?EX=100", body: "baz", want: `{"result":"OK"}`, after: `["GET","foo"]`, reply: `{"result":"baz"}`},
	{no: "8 ttl", method: "POST", path: "/set/foo?EX=100", body: "baz", want: `{"result":"OK"}`, after: `["TTL","foo"]`, reply: `{"result":100}`},
	{no: "9", method: "PUT", path: "/set/foo", body: `{"a":1}`, want: `{"result":"OK"}`, after: `["GET","foo"]`, reply: `{"result":"{\"a\":1}"}`},
	{no: "10", before: []string{setFoo}, method: "POST", path: "/set/foo?EX=9&NX", body: "v", want: `={"result":null}`},
	{no: "11", method: "POST", path: "/set/bin", body: "\xff\x00A", want: `{"result":"OK"}`, after: `["STRLEN","bin"]`, reply: `{"result":3}`},
	{no: "13", method: "POST", path: "/set/bin", body: "\xff\x00A", want: `{"result":"OK"}`, after: "B/get/bin", reply: `{"result":"/wBB"}`},
	{no: "12", method: "POST", path: "/set/bin", body: "\xff\x00A", want: `{"result":"OK"}`, after: "/get/bin", reply: `={"result":"\ufffd\u0000A"}`},
	{no: "14", method: "GET", path: "/incr/n", headers: []string{b64, "base64"}, want: `={"result":1}`},
	{no: "15", before: []string{setFoo}, method: "GET", path: "/mget/foo/nope", want: `{"result":["bar",null]}`},
	{no: "16", before: []string{setFoo}, method: "GET", path: "/mget/foo/nope", headers: []string{b64, "base64"}, want: `{"result":["YmFy",null]}`},
	{no: "17", method: "GET", path: "/ping", want: `{"result":"PONG"}`},
	{no: "17 B", method: "GET", path: "/ping", headers: []string{b64, "base64"}, want: `{"result":"UE9ORw=="}`},
	{no: "18", before: []string{setFoo}, method: "GET", path: "/type/foo", headers: []string{b64, "base64"}, want: `{"result":"c3RyaW5n"}`},
	{no: "19", before: []string{`["RPUSH","l","OK"]`}, method: "GET", path: "/lrange/l/0/-1", headers: []string{b64, "base64"}, want: `{"result":["T0s="]}`},
	{no: "20", before: []string{`["SET","foo",""]`}, method: "GET", path: "/get/foo", headers: []string{b64, "base64"}, want: `{"result":""}`},
	{no: "21", before: []string{`["HSET","h","f",1]`}, method: "GET", path: "/hgetall/h", want: `{"result":["f","1"]}`},
	{no: "21 missing", method: "GET", path: "/hgetall/h", want: `{"result":[]}`},
	{no: "22", before: []string{`["ZADD","z",1.5,"m"]`}, method: "GET", path: "/zscore/z/m", want: `{"result":"1.5"}`},
	{no: "23", method: "POST", path: "/", body: `["ZADD","z",1,"a",2,"b"]`, want: `={"result":2}`},
	{no: "24", before: []string{setFoo}, method: "GET", path: "/scan/0", headers: []string{b64, "base64"}, want: `{"result":["MA==",["Zm9v"]]}`},
	{no: "25", method: "POST", path: "/", body: `["EVAL","return {1,'a',{2,false}}",0]`, want: `{"result":[1,"a",[2,null]]}`},
	{no: "26", method: "POST", path: "/", body: `["EVAL","return 3.9",0]`, want: `={"result":3}`},
	{no: "27", before: []string{setFoo}, method: "GET", path: "/EXISTS/foo", want: `{"result":1}`},
	{no: "28", before: []string{`["SET","a/b","slash"]`}, method: "GET", path: "/get/a%2Fb", want: `{"result":"slash"}`},
	{no: "29", method: "GET", path: "/get/foo", headers: []string{"Authorization", ""}, status: 401, want: `{"error":"WRONGPASS invalid or missing auth token"}`},
	{no: "30", method: "GET", path: "/get/foo", headers: []string{"Authorization", "Bearer nope"}, status: 401, want: `{"error":"WRONGPASS invalid or missing auth token"}`},
	{no: "31", before: []string{setFoo}, method: "GET", path: "/get/foo?_token=" + token, headers: []string{"Authorization", ""}, want: `{"result":"bar"}`},
	{no: "32", method: "DELETE", path: "/get/foo", status: 405, want: `~{"error":"`},
	{no: "33", method: "POST", path: "/", body: `{"a":1}`, status: 400, want: `{"error":"ERR failed to parse command"}`},
	{no: "34", method: "POST", path: "/", body: `[]`, status: 400, want: `{"error":"ERR empty command"}`},
	{no: "35", method: "POST", path: "/", body: `["GET"]`, status: 400, want: `{"error":"ERR wrong number of arguments for 'get' command"}`},
	{no: "36", method: "POST", path: "/", body: `["NOSUCH"]`, status: 400, want: notAvail + `NOSUCH'. See https://`},
	{no: "37", before: []string{setFoo}, method: "POST", path: "/", body: `["HGET","foo","f"]`, status: 400, want: `~{"error":"WRONGTYPE `},
	{no: "38", before: []string{setFoo}, method: "POST", path: "/", body: `["INCR","foo"]`, status: 400, want: `{"error":"ERR value is not an int or out of range"}`},
	{no: "39", method: "POST", path: "/", body: `["EVALSHA","` + strings.Repeat("0", 40) + `",0]`, status: 400, want: `~{"error":"NOSCRIPT`},
	{no: "40", method: "POST", path: "/pipeline", body: `[["SET","k","x"],["INCR","k"],["GET","k"]]`, want: `=[{"result":"OK"},{"error":"ERR value is not an int or out of range"},{"result":"x"}]`},
	{no: "41", method: "POST", path: "/pipeline", body: `[]`, status: 400, want: `{"error":"ERR empty pipeline request"}`},
	{no: "42", method: "POST", path: "/pipeline", body: `[["SET","a",1],[]]`, want: `[{"result":"OK"},{"error":"ERR empty pipeline command"}]`},
	{no: "43", method: "POST", path: "/pipeline", body: `{"a":[]}`, status: 400, want: `{"error":"ERR failed to parse pipeline request"}`},
	{no: "44", method: "POST", path: "/multi-exec", body: `[["SET","{m}a","x"],["INCR","{m}b"]]`, want: `=[{"result":"OK"},{"result":1}]`},
	{no: "45", method: "POST", path: "/multi-exec", body: `[["SET","k","x"],["INCR","k"],["GET","k"]]`, want: `=[{"result":"OK"},{"error":"ERR value is not an int or out of range"},{"result":"x"}]`, after: `["GET","k"]`, reply: `{"result":"x"}`},
	{no: "46", method: "POST", path: "/multi-exec", body: `[["SET","a",1],["NOSUCH"]]`, status: 400, want: notAvail + `NOSUCH'`, after: `["EXISTS","a"]`, reply: `{"result":0}`},
	{no: "47 set", method: "POST", path: "/", body: setFoo, headers: []string{format, "resp2"}, want: "=+OK\r\n"},
	{no: "47 get", before: []string{setFoo}, method: "GET", path: "/get/foo", headers: []string{format, "resp2"}, want: "=$3\r\nbar\r\n"},
	{no: "47 nil", method: "GET", path: "/get/foo", headers: []string{format, "resp2"}, want: "=$-1\r\n"},
	{no: "48", method: "GET", path: "/get/foo", headers: []string{format, "resp2", b64, "base64"}, status: 400, want: `~{"error":"ERR `},
	{no: "49", method: "GET", path: "/get/foo", headers: []string{format, "xml"}, status: 400, want: `~{"error":"ERR `},
	{no: "50", method: "POST", path: "/multi-exec", body: `[["SET","a",1]]`, headers: []string{format, "resp2"}, want: `[{"result":"OK"}]`},
	{no: "55", method: "GET", path: "/set/foo/bar", headers: []string{"Authorization", "Bearer " + readOnlyToken}, status: 400, want: `~{"error":"NOPERM this user has no permissions to run the 'set' command`},
	{no: "56", method: "GET", path: "/get/foo", headers: []string{"Upstash-Sync-Token", "junk"}, want: `{"result":null}`},
	{no: "57", method: "POST", path: "/", body: `["BLPOP","l",0]`, status: 400, want: notAvail + `BLPOP'`},
	{no: "58", method: "POST", path: "/", body: `["GET","` + strings.Repeat("k", 33<<10) + `"]`, status: 400, want: `{"error":"ERR max key size exceeded. Limit: 32768 bytes, Actual: 33792 bytes"}`},
	// The deviation: the flag is accepted and taken off, so that the undeclared
	// key is not refused.
	{no: "59", before: []string{setFoo}, method: "POST", path: "/", body: `["EVAL","#!lua flags=allow-key-locking\nreturn redis.call('GET','foo')",1,"{foo}declared"]`, want: `{"result":"bar"}`},
}

func TestVectors(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		tokens := map[string]bool{}
		for _, v := range vectors {
			t.Run(v.no, func(t *testing.T) {
				cl := *cl
				cl.tb = t
				v.run(t, &cl, tokens)
			})
		}
	})
}

func (v vector) run(t *testing.T, cl *client, tokens map[string]bool) {
	t.Helper()
	cl.do(`["FLUSHALL"]`)
	for _, command := range v.before {
		cl.do(command)
	}
	if v.status == 0 {
		v.status = 200
	}
	a := cl.send(v.method, v.path, v.body, v.headers...)
	if a.status != v.status || !matchesBody(a.body, v.want) {
		t.Errorf("%s %s %.100s\n got %d %s\nwant %d %s", v.method, v.path, v.body, a.status, a.body, v.status, v.want)
	}
	wantType := "application/json"
	if strings.HasPrefix(v.no, "47") {
		wantType = "application/octet-stream"
	}
	if ct := a.header.Get("Content-Type"); ct != wantType {
		t.Errorf("Content-Type is %s, want %s", ct, wantType)
	}
	if token := a.header.Get("Upstash-Sync-Token"); token == "" || token == "junk" || tokens[token] {
		t.Errorf("the sync token %q is not fresh", token)
	} else {
		tokens[token] = true
	}
	if v.after == "" {
		return
	}
	var after answer
	switch path, encoded := strings.CutPrefix(v.after, "B"); {
	case encoded:
		after = cl.send("GET", path, "", b64, "base64")
	case strings.HasPrefix(v.after, "/"):
		after = cl.send("GET", v.after, "")
	default:
		after = cl.send("POST", "/", v.after)
	}
	if !matchesBody(after.body, v.reply) {
		t.Errorf("%s afterwards is %s, want %s", v.after, after.body, v.reply)
	}
}

// matchesBody compares as vector.want says.
func matchesBody(got, want string) bool {
	if exact, ok := strings.CutPrefix(want, "="); ok {
		return got == exact
	}
	if part, ok := strings.CutPrefix(want, "~"); ok {
		return strings.HasPrefix(got, part) && json.Valid([]byte(got))
	}
	var a, b any
	if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}

// TestStreamVectors holds the vectors 51 to 54.
func TestStreamVectors(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})

		chat := cl.listen("/subscribe/chat") // 51
		chat.want("data: subscribe,chat,1")

		if got := cl.do(`["PUBLISH","chat","a,b"]`); got != `{"result":1}` { // 52
			t.Errorf("PUBLISH: %s", got)
		}
		chat.want("data: message,chat,a,b")
		if len(chat.lines) > 0 {
			t.Errorf("unexpected %q", chat.next())
		}

		users := cl.listen("/psubscribe/user:*") // 53
		users.want("data: psubscribe,user:*,1")
		cl.send("GET", `/publish/user:7/{"n":1,"m":2}`, "")
		users.want(`data: pmessage,user:*,user:7,{"n":1,"m":2}`)

		monitor := cl.listen("/monitor") // 54
		monitor.want(`data: "OK"`)
		cl.do(`["SET","watched","a \"b\"\n"]`)
		for {
			if line := monitor.next(); strings.Contains(line, `"SET"`) {
				if !monitored.MatchString(line) {
					t.Errorf("got %q", line)
				}
				break
			}
		}
	})
}

var monitored = regexp.MustCompile(`^data: \d+\.\d{6} \[0 [0-9.]+:\d+\] "SET" "watched" "a \\"b\\"\\n"$`)
