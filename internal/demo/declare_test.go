package demo

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The demo prints as a document that a new colleague could work from.
func TestStrategyDocument(t *testing.T) {
	t.Parallel()
	apps := testApps(t, 2)
	for _, a := range apps {
		if err := a.declared.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := strategy.Read(t.Context(), apps[0].conn)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Services) != 1 || len(doc.Services[0].Processes) != 2 || len(doc.Warnings) != 0 {
		t.Fatalf("%+v", doc)
	}
	if w := ask(t, apps[1], "GET", "/strategy"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\n### cache `test-page`\n") {
		t.Error(w.Code, w.Body)
	}
	// What differs from run to run.
	doc.At = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	doc.Services[0].Since, doc.Services[0].Version = doc.At.Add(-time.Hour), "v1.2.3"
	golden(t, "strategy.md", doc.Markdown())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("it prints\n%s\nwant\n%s\n(go test ./internal/demo -run Strategy -update writes the file)", got, want)
	}
}

// On PostgreSQL it declares the cache below its statements.
func TestStrategyOfStatements(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cached, err := newStatements("test", pgtest.Database(t), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cached.close() }()
	r, err := strategy.New(c, strategy.Options{Service: "demo", Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := cached.declare(r); err != nil {
		t.Fatal(err)
	}
	if d := r.Declared(); len(d) != 1 || d[0].Kind != observe.SQL || d[0].Name != "test-sql" || len(d[0].Prefixes) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestTooManyLogins(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	refused := 0
	for range 2 * 101 { // a window may end meanwhile
		w := ask(t, a, "POST", "/login?user=eve")
		if w.Code == http.StatusTooManyRequests {
			refused++
			if w.Header().Get("Retry-After") == "" || len(w.Result().Cookies()) != 0 {
				t.Error(w.Header())
			}
		}
	}
	if refused == 0 {
		t.Error("nobody was refused")
	}
	if w := ask(t, a, "POST", "/login?user=ada"); w.Code != http.StatusOK {
		t.Errorf("somebody else: %d", w.Code)
	}
}
