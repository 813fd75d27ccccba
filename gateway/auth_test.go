package gateway_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	for _, tt := range []struct {
		name, path, header string
		status             int
	}{
		{"bearer", "/ping", "Bearer " + token, 200},
		{"scheme in any case", "/ping", "bearer " + token, 200},
		{"parameter", "/ping?_token=" + token, "", 200},
		{"header counts", "/ping?_token=" + token, "Bearer nope", 401},
		{"basic", "/ping", "Basic " + token, 401},
		{"no scheme", "/ping", token, 401},
		{"empty", "/ping", "Bearer ", 401},
		{"prefix", "/ping", "Bearer " + token[:5], 401},
		{"longer", "/ping", "Bearer " + token + "x", 401},
		{"none", "/ping", "", 401},
		{"wrong parameter", "/ping?_token=x", "", 401},
		{"stream", "/subscribe/c", "", 401},
		{"health", "/healthz", "", 200},
		{"ready", "/readyz", "", 200},
	} {
		if a := cl.send("GET", tt.path, "", "Authorization", tt.header); a.status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, a.status, a.body, tt.status)
		}
	}
}

// TestReader: what the server calls readonly may be used, minus the exceptions.
func TestReader(t *testing.T) {
	t.Parallel()
	forEachBackend(t, func(t *testing.T, c conn.Conn) {
		cl := serve(t, c, gateway.Options{})
		for command, allowed := range map[string]bool{
			`["GET","k"]`: true, `["MGET","a","b"]`: true, `["HGETALL","h"]`: true, `["ZRANGE","z",0,-1]`: true,
			`["XRANGE","s","-","+"]`: true, `["OBJECT","ENCODING","k"]`: true, `["DBSIZE"]`: true, `["PING"]`: true,
			`["ECHO","x"]`: true, `["TTL","k"]`: true, `["XINFO","STREAM","k"]`: true, `["HSCAN","h",0]`: true, `["SELECT",0]`: true,
			`["SET","k","v"]`: false, `["GETDEL","k"]`: false, `["GETEX","k"]`: false, `["DEL","k"]`: false, `["FLUSHALL"]`: false,
			`["KEYS","*"]`: false, `["SCAN",0]`: false, `["RANDOMKEY"]`: false, `["EVAL","return 1",0]`: false,
			`["EVAL_RO","return 1",0]`: false, `["EVALSHA_RO","x",0]`: false, `["SCRIPT","LOAD","return 1"]`: false,
			`["SCRIPT","FLUSH"]`: false, `["PUBLISH","c","m"]`: false, `["CONFIG","SET","notify-keyspace-events","K"]`: false,
			`["XREADGROUP","GROUP","g","c","STREAMS","s",">"]`: false, `["XGROUP","CREATE","s","g","0"]`: false, `["SORT","l","STORE","m"]`: false,
		} {
			for path, body := range map[string]string{"/": command, "/pipeline": "[" + command + "]", "/multi-exec": "[" + command + "]"} {
				a := cl.send("POST", path, body, "Authorization", "Bearer "+readOnlyToken)
				if denied := strings.Contains(a.body, "NOPERM") || strings.Contains(a.body, "not available: 'CONFIG'") || strings.Contains(a.body, "not available: 'SORT'"); denied == allowed {
					if path == "/multi-exec" && strings.Contains(a.body, "CROSSSLOT") || strings.Contains(a.body, "not available in a transaction") {
						continue
					}
					t.Errorf("%s %s: %s", path, command, a.body)
				}
			}
		}
		for _, path := range []string{"/psubscribe/*", "/monitor"} {
			if a := cl.send("POST", path, "[]", "Authorization", "Bearer "+readOnlyToken); a.status != 400 || !strings.Contains(a.body, "NOPERM") {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
		cl.listen("/subscribe/c", "Authorization", "Bearer "+readOnlyToken).want("data: subscribe,c,1")
	})
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	a := cl.send("OPTIONS", "/get/foo", "", "Authorization", "", "Origin", "https://app.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,upstash-encoding,upstash-sync-token")
	if a.status != 204 || a.body != "" {
		t.Errorf("preflight: %d %s", a.status, a.body)
	}
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Authorization"} {
		if got := a.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, auth := range []string{"Bearer " + token, ""} { // errors have to be readable too
		a = cl.send("GET", "/ping", "", "Authorization", auth, "Origin", "https://app.example")
		if a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.EqualFold(a.header.Get("Access-Control-Expose-Headers"), "upstash-sync-token") {
			t.Errorf("%d: %v", a.status, a.header)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	cl.do(setFoo)
	for method, want := range map[string]int{"GET": 200, "POST": 200, "PUT": 200, "HEAD": 200, "DELETE": 405, "PATCH": 405, "TRACE": 405} {
		if a := cl.send(method, "/get/foo", ""); a.status != want || (a.body == "") != (method == "HEAD") {
			t.Errorf("%s: %d %q", method, a.status, a.body)
		}
	}
	if a := cl.send("HEAD", "/incr/n", ""); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %s", a.status, a.body)
	}
	if got := cl.do(`["GET","n"]`); got != `{"result":"1"}` {
		t.Errorf("HEAD has not executed the command: %s", got)
	}
	if a := cl.send("GET", "/", ""); a.status != 400 || a.body != `{"error":"ERR failed to parse command"}` {
		t.Errorf("GET /: %d %s", a.status, a.body)
	}
	for path, want := range map[string]string{
		"//": `{"error":"ERR Command is not available: ''. See `, "/set/a//EX/5": `{"result":"OK"}`, "/get/..": `{"result":null}`, "/pipeline/x": `{"error":"ERR Command is not available: 'pipeline'`,
	} {
		if a := cl.send("GET", path, ""); !strings.HasPrefix(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestLogs: neither tokens nor keys nor values are in them.
func TestLogs(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	cl := serve(t, openEmbedded(t), gateway.Options{Logger: logger, AccessLog: logger})
	cl.send("POST", "/set/secretkey?_token="+token+"&x=secretarg", "secretvalue")
	cl.send("POST", "/pipeline", `[["SET","secretkey","secretvalue"],["secretcommand"]]`)
	cl.send("GET", "/get/secretkey?_token=secrettoken", "", "Authorization", "")
	cl.send("SECRETMETHOD", "/", "")
	cl.listen("/subscribe/secretchannel").cancel()
	cl.send("GET", "/ping", "")
	text := out.String()
	for _, secret := range []string{"secret", "SECRET", token} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is logged:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "endpoint=pipeline commands=2 status=200") {
		t.Errorf("not logged:\n%s", text)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestOptions(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	for want, o := range map[string]gateway.Options{
		"Token is empty":          {},
		"ReadOnlyToken":           {Token: "a", ReadOnlyToken: "a"},
		"Options.MaxRequest is -": {Token: "a", MaxRequest: -1},
		"Options.Heartbeat is -":  {Token: "a", Heartbeat: -1},
	} {
		if _, err := gateway.New(c, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
	if _, err := gateway.New(nil, gateway.Options{Token: "a"}); err == nil {
		t.Error("no error without a Conn")
	}
}

// Neither a gateway nor its options show the tokens, however they are printed.
func TestTokensAreNotPrinted(t *testing.T) {
	t.Parallel()
	o := gateway.Options{Token: "hush-standard", ReadOnlyToken: "hush-reader"}
	g, err := gateway.New(openEmbedded(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var logs lockedBuffer
	log := slog.New(slog.NewJSONHandler(&logs, nil))
	for _, v := range []any{o, &o, g} {
		log.Info("value", "value", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hush") {
				t.Errorf("%s of a %T: %s", verb, v, text)
			}
		}
	}
	if strings.Contains(logs.String(), "hush") || !strings.Contains(logs.String(), "not shown") {
		t.Error(logs.String())
	}
}
