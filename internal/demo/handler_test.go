package demo

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, a *app, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return w
}

func TestHandler(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	for _, tt := range []struct {
		method, target string
		status         int
		contains       string
		version        string
	}{
		{"GET", "/", 200, "Larder demo", ""},
		{"GET", "/package/p01", 200, `"Alpha1.Read1"`, "1"},
		{"GET", "/package/p01?nocache=1", 200, `"Alpha1.Read1"`, "1"},
		{"GET", "/package/nope", 404, "not found", ""},
		{"GET", "/package/", 404, "not found", ""},
		{"GET", "/search?q=Read", 200, `"query":"read"`, "0"},
		{"GET", "/search?q=read&nocache=1", 200, `"query":"read"`, "0"},
		{"GET", "/search?q=nothing", 200, `"symbols":[]`, "0"},
		{"GET", "/search?q=r", 400, "2 to 64", ""},
		{"GET", "/search", 400, "2 to 64", ""},
		{"GET", "/search?q=%ff%fe", 400, "2 to 64", ""},
		{"GET", "/search?q=" + strings.Repeat("x", 65), 400, "2 to 64", ""},
		{"GET", "/importers/p00", 200, `"importers":["p01","p02"]`, "1"},
		{"GET", "/importers/nope", 404, "not found", ""},
		{"GET", "/stats", 200, `"path":"p00"`, "0"},
		{"GET", "/counters", 200, `"hit_ratio"`, ""},
		{"GET", "/nope", 404, "", ""},
		{"DELETE", "/package/p01", 405, "", ""},
		{"POST", "/package/nope", 404, "not found", ""},
	} {
		w := ask(t, a, tt.method, tt.target)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.contains) || w.Header().Get(versionHeader) != tt.version {
			t.Errorf("%s %s: %d, version %q, %.200s", tt.method, tt.target, w.Code, w.Header().Get(versionHeader), w.Body)
		}
	}
}

// TestWriteReachesEveryAnswer reads everything that shows a symbol, writes it
// through the one instance, and reads again there.
func TestWriteReachesEveryAnswer(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	reads := map[string]string{
		"/package/p00":   "2",
		"/importers/p00": "2",
		"/search?q=rea":  "1",
		"/search?q=read": "1",
		"/stats":         "1",
		"/package/p01":   "1", // not written
		"/search?q=bet":  "0", // nor this
	}
	for target := range reads {
		if w := ask(t, a, "GET", target); w.Code != http.StatusOK {
			t.Fatal(target, w.Code, w.Body)
		}
	}
	w := ask(t, a, "POST", "/package/p00?symbol=Alpha0.Read0")
	var reply struct{ Written []revision }
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != http.StatusOK || len(reply.Written) != 3 {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	before := a.store.queries.Load()
	for target, want := range reads {
		if got := ask(t, a, "GET", target).Header().Get(versionHeader); got != want {
			t.Errorf("%s: version %s, want %s", target, got, want)
		}
	}
	// Page 3, importers, two searches and the aggregate 2 each.
	if n := a.store.queries.Load() - before; n != 11 {
		t.Errorf("%d queries, want 11: only what was written is read again", n)
	}
	if c := a.counters(); c.Writes != 1 || c.DBQueries != a.store.queries.Load() || c.Hits == 0 || c.HitRatio <= 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestInstancesShareWhatWasLoaded(t *testing.T) {
	t.Parallel()
	apps := testApps(t, 2)
	for _, a := range apps {
		if w := ask(t, a, "GET", "/package/p00"); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
	}
	if a, b := apps[0].store.queries.Load(), apps[1].store.queries.Load(); a != 3 || b != 0 {
		t.Errorf("%d and %d queries, want 3 and 0", a, b)
	}
}

func TestWriteWithoutInvalidation(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	a.skipInvalidation = true
	ask(t, a, "GET", "/package/p00")
	if w := ask(t, a, "POST", "/package/p00"); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if got := ask(t, a, "GET", "/package/p00").Header().Get(versionHeader); got != "1" {
		t.Errorf("version %s, want the old 1", got)
	}
}
