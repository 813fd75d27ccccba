package demo

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// askAs is ask with a cookie, and from a page of that origin.
func askAs(t *testing.T, a *app, cookie *http.Cookie, origin, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	a.handler().ServeHTTP(w, r)
	return w
}

func TestSessionIsTheSameOnAllInstances(t *testing.T) {
	t.Parallel()
	apps := testApps(t, 2)
	in := ask(t, apps[0], "POST", "/login?user=ada")
	cookies := in.Result().Cookies()
	if in.Code != http.StatusOK || len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Fatal(in.Code, in.Body, cookies)
	}
	as := func(a *app, method, target string) *httptest.ResponseRecorder {
		return askAs(t, a, cookies[0], "", method, target)
	}
	for _, a := range apps {
		for target, method := range map[string]string{
			"/package/p00": "GET", "/importers/p00": "GET", "/stats": "GET", "/search?q=read": "GET", "/package/p01": "POST",
		} {
			if w := as(a, method, target); w.Code != http.StatusOK {
				t.Error(target, w.Code, w.Body)
			}
		}
	}
	const want = `{"user":"ada","views":8,"edits":2}`
	for _, a := range apps {
		if w := as(a, "GET", "/session"); strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s, want %s", w.Body, want)
		}
	}
	if w := as(apps[1], "POST", "/logout"); w.Code != http.StatusOK {
		t.Error(w.Code, w.Body)
	}
	for _, a := range apps {
		if w := as(a, "GET", "/session"); !strings.Contains(w.Body.String(), `"user":""`) {
			t.Errorf("after the log-out: %s", w.Body)
		}
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	for _, tt := range []struct {
		origin, method, target string
		status                 int
	}{
		{"", "POST", "/login", http.StatusBadRequest},
		{"", "POST", "/login?user=" + strings.Repeat("x", 65), http.StatusBadRequest},
		{"", "GET", "/login?user=ada", http.StatusMethodNotAllowed},
		{"https://elsewhere.example", "POST", "/login?user=ada", http.StatusForbidden},
		{"https://elsewhere.example", "POST", "/package/p00", http.StatusForbidden},
		{"http://example.com", "POST", "/package/p00", http.StatusOK}, // httptest's own host
	} {
		if w := askAs(t, a, nil, tt.origin, tt.method, tt.target); w.Code != tt.status || len(w.Result().Cookies()) != 0 {
			t.Errorf("%+v: %d, cookies %v", tt, w.Code, w.Result().Cookies())
		}
	}
}

// Who is not logged in costs Redis nothing and gets no session.
func TestNobodyHasNoSession(t *testing.T) {
	t.Parallel()
	a := testApps(t, 1)[0]
	for _, method := range []string{"GET", "POST"} {
		if w := ask(t, a, method, "/package/p00"); w.Code != http.StatusOK || len(w.Result().Cookies()) != 0 {
			t.Errorf("%s: %d, cookies %v", method, w.Code, w.Result().Cookies())
		}
	}
}
