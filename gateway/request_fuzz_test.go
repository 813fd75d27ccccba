package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
)

// FuzzRequest sends whole requests to a gateway over the embedded engine. Each is
// answered with JSON and a status that SDKs know, and nobody without a token gets in.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`["SET","k","v","EX",60]`, `["ZRANGE","k",0,-1,"LIMIT",-1,9223372036854775807]`, `["SCAN","0","WITHTYPE"]`,
		`["EVAL","return {1,{2}}",0]`, `["CONFIG","GET","notify-keyspace-events"]`, `["MEMORY"]`, `["JSON.GET","k"]`,
		`["XADD","s","*","f","v"]`, `["XREAD","BLOCK","0","STREAMS","s","0"]`, `["COPY","a","a"]`, `["MSET","a"]`, `["HELLO","3"]`,
	} {
		f.Add("/", body)
		f.Add("/pipeline", "["+body+`,["MULTI"],["EXEC"]]`)
		f.Add("/multi-exec", "["+body+"]")
	}
	f.Add("/set/k/v?EX=1&NX", "")
	f.Add("/eval/return%201/0", "")
	f.Add("/get//%00%ff", "x")
	engine, err := embedded.New(embedded.Options{MaxKeys: 1000, MaxValueBytes: 1 << 16, ScriptTimeout: 50 * time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	c := engine.Connect()
	g, err := gateway.New(c, gateway.Options{Token: token, MaxRequest: 1 << 16, MaxPipeline: 100, Timeout: time.Minute})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _, _, _ = g.Close(), c.Close(), engine.Close() })
	f.Fuzz(func(t *testing.T, target, body string) {
		if strings.HasPrefix(target, "/subscribe") || strings.HasPrefix(target, "/psubscribe") || strings.HasPrefix(target, "/monitor") {
			return // streams do not end by themselves
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for _, bearer := range []string{token, "nope"} {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gateway"+target, strings.NewReader(body))
			if err != nil || !strings.HasPrefix(target, "/") {
				return
			}
			r.Header.Set("Authorization", "Bearer "+bearer)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			switch health := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"; {
			case bearer == "nope" && !health && w.Code != http.StatusUnauthorized:
				t.Fatalf("%s: %d %s without a token", target, w.Code, w.Body)
			case w.Code != http.StatusOK && (w.Code < 400 || w.Code > 413) || !json.Valid(w.Body.Bytes()):
				t.Fatalf("%s %q: %d %q", target, body, w.Code, w.Body)
			}
		}
	})
}
