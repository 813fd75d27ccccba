package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
)

// Requests whose every figure is known; what clients have chosen is in none of it.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	seen := observetest.New(t)
	g, err := gateway.New(openEmbedded(t), gateway.Options{Token: "hush", Observer: seen})
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path, token, body string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
		}
	}
	send("POST", "/", "hush", `["SET","secret-key","secret-value","EX","60"]`, 200)
	send("GET", "/get/secret-key", "hush", "", 200)
	send("POST", "/", "hush", `["LPUSH","secret-key","x"]`, 400)
	send("POST", "/pipeline", "hush", `[["HSET","h","f","v"],["EXPIRE","h","60"],["NOSUCH","x"],["SADD","secret-key","x"]]`, 200)
	send("POST", "/multi-exec", "hush", `[["INCR","n"],["EXPIRE","n","60"]]`, 200)
	send("POST", "/", "wrong", `["GET","secret-key"]`, 401)
	send("PATCH", "/", "hush", "", 405)
	send("GET", "/healthz", "", "", 200)
	want := map[string]float64{
		"larder.gateway.requests{2xx}":    5,
		"larder.gateway.requests{4xx}":    3,
		"larder.gateway.commands{string}": 3, // SET, GET, INCR
		"larder.gateway.commands{list}":   1,
		"larder.gateway.commands{hash}":   1,
		"larder.gateway.commands{set}":    1,
		"larder.gateway.commands{key}":    2,
		"larder.gateway.errors":           3, // LPUSH, NOSUCH, SADD
	}
	seen.Want(observe.Gateway, "gateway", want)
	var got []string
	for _, op := range seen.Ended(observe.Gateway, "") {
		got = append(got, op.Attr("http.request.method")+" "+op.Attr("http.route")+" "+op.Attr("http.response.status_code"))
		for _, attr := range append(op.Attrs, op.End...) {
			if strings.Contains(attr.String(), "secret") || strings.Contains(attr.String(), "hush") {
				t.Errorf("%s tells %v", op.Verb, attr)
			}
		}
	}
	if want := "POST / 200, GET /{command} 200, POST / 400, POST /pipeline 200, POST /multi-exec 200, " +
		"POST refused 401, PATCH refused 405, GET /healthz 200"; strings.Join(got, ", ") != want {
		t.Errorf("operations are %q, want %q", strings.Join(got, ", "), want)
	}
	if got := len(seen.Metrics()); got != len(gateway.Metrics()) {
		t.Errorf("%d metrics are declared, Metrics lists %d", got, len(gateway.Metrics()))
	}
	_ = g.Close()
	_ = g.Close()
	if left := seen.Subjects(); len(left) != 0 {
		t.Errorf("after Close: %+v", left)
	}
}

// A request that an Observer sees runs under the context of its operation.
func TestCommandsRunUnderTheRequestsOperation(t *testing.T) {
	t.Parallel()
	seen := observetest.New(t)
	c := &spy{Conn: openEmbedded(t)}
	g, err := gateway.New(c, gateway.Options{Token: "hush", Observer: seen})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`["PING"]`))
	r.Header.Set("Authorization", "Bearer hush")
	g.ServeHTTP(httptest.NewRecorder(), r)
	if c.under.Kind != observe.Gateway || c.under.Verb != http.MethodPost {
		t.Errorf("PING ran under %+v", c.under)
	}
}

// spy remembers under which operation its last command ran.
type spy struct {
	conn.Conn
	under observe.Operation
}

func (s *spy) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	s.under, _ = observetest.Of(ctx)
	return s.Conn.Do(ctx, cmd)
}
