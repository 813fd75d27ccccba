package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
)

func TestBadBodies(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{MaxPipeline: 1000})
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rand.Uint32()) //nolint:gosec // any bytes will do
	}
	garbage := string(random)
	nested := strings.Repeat("[", 100_000)
	for name, tt := range map[string]struct {
		path, body string
		status     int
	}{
		"garbage":                {"/", garbage, 400},
		"garbage in a pipeline":  {"/pipeline", garbage, 400},
		"garbage after a bit":    {"/pipeline", `[["SET","k","` + garbage, 400},
		"garbage as transaction": {"/multi-exec", garbage, 400},
		"garbage as a key":       {"/get", garbage, 400},
		"nested":                 {"/", nested, 400},
		"nested pipeline":        {"/pipeline", nested, 400},
		"nested and closed":      {"/pipeline", nested + strings.Repeat("]", 100_000), 400},
		"nested objects":         {"/", `["SET","k",` + strings.Repeat(`{"a":`, 100_000), 400},
		"too many commands":      {"/pipeline", "[" + strings.Repeat(`["PING"],`, 1000) + `["PING"]]`, 400},
		"cut in a string":        {"/", `["SET","k","v`, 400},
		"cut in an escape":       {"/", `["SET","k","\u00`, 400},
		"a long name":            {"/", `["` + strings.Repeat("X", 1<<20) + `"]`, 400},
	} {
		a := cl.send("POST", tt.path, tt.body)
		var e struct{ Error string }
		if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Error == "" || a.status != tt.status {
			t.Errorf("%s: %d %.200s, want %d", name, a.status, a.body, tt.status)
		}
		if len(a.body) > 1000 {
			t.Errorf("%s: the error has %d bytes", name, len(a.body))
		}
	}
	if got := cl.send("POST", "/set/bin", garbage).body; got != `{"result":"OK"}` {
		t.Errorf("garbage is a value: %s", got)
	}
	if a := cl.send("GET", "/get/bin", "", format, "resp2"); !strings.HasSuffix(a.body, garbage+"\r\n") {
		t.Error("the value is not what was set")
	}
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	large := bytes.Repeat([]byte("x"), 60<<20)
	want := fmt.Sprintf(`{"error":"ERR max request size exceeded. Limit: %d bytes, Actual: %d bytes"}`, gateway.DefaultMaxRequest, len(large))
	for _, path := range []string{"/", "/pipeline", "/set/k", "/subscribe/c"} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = bytes.NewReader(large)
			if chunked {
				body = io.MultiReader(body) // of unknown length
			}
			req, err := http.NewRequestWithContext(t.Context(), "POST", cl.url+path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := cl.hc.Do(req)
			if err != nil {
				// The server has answered and closed while we were sending.
				if _, ok := errors.AsType[*net.OpError](err); !ok {
					t.Errorf("%s: %v", path, err)
				}
				continue
			}
			got, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge || !chunked && string(got) != want ||
				!strings.HasPrefix(string(got), `{"error":"ERR max request size exceeded. Limit: `) {
				t.Errorf("%s, chunked %v: %d %s", path, chunked, res.StatusCode, got)
			}
		}
	}
	cl.do(`["PING"]`)
}

// One command's result is bounded like a request; in a pipeline that is an
// error of this command alone.
func TestLargeResults(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{MaxRequest: 10_000})
	cl.do(`["SET","k","` + strings.Repeat("v", 9000) + `"]`)
	cl.do(`["RPUSH","l","` + strings.Repeat("v", 6000) + `"]`)
	cl.do(`["RPUSH","l","` + strings.Repeat("v", 6000) + `"]`)
	if a := cl.send("GET", "/get/k", "", b64, "base64"); a.status != 200 {
		t.Errorf("a value within the limit: %d %s", a.status, a.body)
	}
	want := `{"error":"ERR max request size exceeded. Limit: 10000 bytes, Actual: 12000 bytes"}`
	if a := cl.send("GET", "/lrange/l/0/-1", ""); a.status != 400 || a.body != want {
		t.Errorf("a single command: %d %.200s", a.status, a.body)
	}
	if a := cl.send("POST", "/pipeline", `[["PING"],["LRANGE","l",0,-1],["PING"]]`); a.body != `[{"result":"PONG"},`+want+`,{"result":"PONG"}]` {
		t.Errorf("a pipeline: %d %.200s", a.status, a.body)
	}
	// All together may be larger.
	if a := cl.send("POST", "/pipeline", `[["GET","k"],["GET","k"]]`); a.status != 200 || len(a.body) < 18_000 {
		t.Errorf("a large pipeline: %d, %d bytes", a.status, len(a.body))
	}
}

// A client that announces more than it sends is not waited for for ever, and
// what it has sent is not executed.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	g, err := gateway.New(c, gateway.Options{Token: token, BodyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l := servePipe(t, g)
	var wg sync.WaitGroup
	for _, path := range []string{"/", "/pipeline", "/set/k", "/subscribe/c", "/unauthorized"} {
		for range 20 {
			wg.Go(func() {
				nc := l.dial()
				defer func() { _ = nc.Close() }()
				_ = nc.SetDeadline(time.Now().Add(patience))
				bearer := token
				if path == "/unauthorized" {
					bearer = "nope"
				}
				head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n[\"SET\",", path, bearer)
				if _, err := io.WriteString(nc, head); err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(nc) // until the server hangs up
				want := `{"error":"ERR failed to read the request body"}`
				if path == "/unauthorized" {
					want = `{"error":"WRONGPASS`
				}
				if err != nil || !strings.Contains(string(got), want) {
					t.Errorf("%s: %q, %v", path, got, err)
				}
			})
		}
	}
	wg.Wait()
	if v, err := c.Do(bg, conn.Cmd("DBSIZE")); err != nil || v.Int != 0 {
		t.Errorf("something was executed: %+v, %v", v, err)
	}
}

// A client that cuts its request off in the middle does not disturb others.
func TestTruncatedBodies(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	g, err := gateway.New(c, gateway.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	l := servePipe(t, g)
	whole := request("POST", "/", `["SET","k","value"]`)
	for n := range len(whole) {
		nc := l.dial()
		_ = nc.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(nc, whole[:n]); err != nil {
			t.Fatal(err)
		}
		_ = nc.Close()
	}
	eventually(t, "the requests to end", func() bool {
		v, err := c.Do(bg, conn.Cmd("DBSIZE"))
		return err == nil && v.Int == 0
	})
}

// Requests that are given up while Redis is silent leave nothing behind.
func TestCancelledRequests(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	cl := serve(t, openRedis(t, s.URL()), gateway.Options{Timeout: 5 * time.Second})
	cl.do(setFoo)
	goroutines := runtime.NumGoroutine()
	s.Pause()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			body := []string{`["GET","foo"]`, `[["GET","foo"],["GET","foo"]]`}[i%2]
			req, _ := http.NewRequestWithContext(ctx, "POST", cl.url+[]string{"/", "/pipeline"}[i%2], strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+token)
			if res, err := cl.hc.Do(req); err == nil {
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
	s.Resume()
	eventually(t, "answers", func() bool { return cl.send("GET", "/get/foo", "").body == `{"result":"bar"}` })
	eventually(t, "the goroutines to end", func() bool {
		cl.hc.CloseIdleConnections()
		return runtime.NumGoroutine() <= goroutines+20 // other tests run at the same time
	})
}

// TestRestartUnderLoad: errors while Redis is away, answers afterwards, and
// every request gets one or the other.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	cl := serve(t, openRedis(t, s.URL()), gateway.Options{Timeout: 2 * time.Second})
	var good, bad atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				path, body := "/", `["INCR","n"]`
				if w%2 == 0 {
					path, body = "/pipeline", `[["INCR","n"],["GET","n"]]`
				}
				a := cl.send("POST", path, body)
				switch {
				case a.status == 200 && !strings.Contains(a.body, "error"):
					good.Add(1)
				case a.status == 503 || a.status == 200 && strings.Contains(a.body, `{"error":"ERR the Redis server`):
					bad.Add(1)
				default:
					t.Errorf("%s: %d %s", path, a.status, a.body)
					return
				}
			}
		})
	}
	eventually(t, "answers", func() bool { return good.Load() > 200 })
	for range 2 {
		s.Stop()
		was := bad.Load()
		eventually(t, "errors", func() bool { return bad.Load() > was+50 })
		if a := cl.send("GET", "/readyz", ""); a.status != 503 {
			t.Errorf("ready without Redis: %d %s", a.status, a.body)
		}
		if a := cl.send("GET", "/healthz", ""); a.status != 200 {
			t.Errorf("healthy without Redis: %d %s", a.status, a.body)
		}
		s.Restart()
		was = good.Load()
		eventually(t, "answers again", func() bool { return good.Load() > was+200 })
	}
	close(stop)
	wg.Wait()
	if a := cl.send("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("not ready: %d %s", a.status, a.body)
	}
}

// A client that does not read its answer is not waited for for ever.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	g, err := gateway.New(openEmbedded(t), gateway.Options{Token: token, BodyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l := servePipe(t, g)
	for range 20 {
		nc := l.dial()
		defer func() { _ = nc.Close() }()
		_ = nc.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(nc, request("GET", "/ping", "")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the server to hang up", func() bool { return l.open.Load() == 0 })
}

// A key beyond MaxKey is refused wherever it stands, and its command alone.
func TestLongKeys(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{MaxKey: 100})
	long := strings.Repeat("k", 101)
	want := `{"error":"ERR max key size exceeded. Limit: 100 bytes, Actual: 101 bytes"}`
	for path, body := range map[string]string{
		"/": `["GET","` + long + `"]`, "/get/" + long: "", "/mget/a/" + long: "", "/set/" + long: "value",
		"/multi-exec": `[["SET","a","b"],["GET","` + long + `"]]`,
	} {
		if a := cl.send("POST", path, body); a.status != 400 || a.body != want && !strings.Contains(a.body, "max key size") {
			t.Errorf("%.20s: %d %s", path, a.status, a.body)
		}
	}
	if a := cl.send("POST", "/pipeline", `[["PING"],["GET","`+long+`"],["GET","`+long[1:]+`"]]`); a.body != `[{"result":"PONG"},`+want+`,{"result":null}]` {
		t.Errorf("a pipeline: %d %s", a.status, a.body)
	}
}
