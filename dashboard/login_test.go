package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestNothingIsShownBeforeLogIn(t *testing.T) {
	t.Parallel()
	_, b := open(t, engine(t).Connect(), Options{})
	for _, v := range views {
		a := b.do(http.MethodGet, href(v.path), nil)
		if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "login") || a.body != "" {
			t.Errorf("%s: %s, %q", v.path, a.Status, a.body)
		}
	}
	if a := b.do(http.MethodGet, "live?view=", nil); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("live: %s", a.Status)
	}
	for _, path := range []string{"invalidate?what=key&name=user%3A1", "logout"} {
		if a := b.do(http.MethodPost, path, url.Values{"csrf": {"x"}}); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("POST %s: %s", path, a.Status)
		}
	}
}

func TestLogInAndOut(t *testing.T) {
	t.Parallel()
	_, b := open(t, engine(t).Connect(), Options{})
	a := b.do(http.MethodGet, "namespace?name=user", nil)
	to := a.Header.Get("Location")
	contains(t, b.get(to), `value="namespace?name=user"`)

	a = b.do(http.MethodPost, "login", url.Values{"token": {testToken + "x"}})
	if a.StatusCode != http.StatusUnauthorized || len(a.Cookies()) > 0 {
		t.Fatalf("a wrong token: %s, %v", a.Status, a.Cookies())
	}
	lacks(t, a.body, testToken)

	a = b.do(http.MethodPost, "login", url.Values{"token": {testToken}, "next": {"namespace?name=user"}})
	if a.Header.Get("Location") != "namespace?name=user" {
		t.Errorf("went on to %q", a.Header.Get("Location"))
	}
	c := a.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "" {
		t.Errorf("cookie %+v", c)
	}
	contains(t, b.get("./"), "Sign out")
	if a := b.do(http.MethodGet, "login", nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the log-in page of who is logged in: %s", a.Status)
	}

	if a := b.do(http.MethodPost, "logout", url.Values{"csrf": {b.csrf("./")}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("log out: %s", a.Status)
	}
	// A copy of the cookie is worth nothing afterwards.
	if a := b.do(http.MethodGet, "./", nil, "Cookie", c.Name+"="+c.Value); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a cookie from before the log-out: %s", a.Status)
	}
}

func TestNextPageIsOneOfOurs(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"":                            "./",
		"keys?prefix=a%26b":           "keys?prefix=a%26b",
		"https://example.com":         "./",
		"//example.com/keys":          "./",
		"javascript:alert(1)":         "./",
		"\\\\example.com":             "./",
		"keys/../../x":                "./",
		"tags?q=%zz":                  "tags",
		"invalidate?what=tag&name=a":  "invalidate?name=a&what=tag",
		"logout":                      "./",
		"keys?prefix=\r\nSet-Cookie:": "keys?prefix=%0D%0ASet-Cookie%3A",
	} {
		if got := nextPage(next); got != want {
			t.Errorf("after %q: %q, want %q", next, got, want)
		}
	}
}

func TestForgedAndOldCookiesAreRefused(t *testing.T) {
	t.Parallel()
	v := newVisits(time.Hour, 2)
	now := time.Now()
	a := v.begin(now)
	with := func(value string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookieName+"="+value)
		return r
	}
	if id, ok := v.id(with(v.cookie(a, false).Value)); !ok || id != a {
		t.Error("its own cookie was refused")
	}
	for _, value := range []string{"", ".", a, a + ".", a + ".x", "x." + v.sign("visit", a), a + "." + v.sign("form", a), a + "." + newVisits(time.Hour, 2).sign("visit", a)} {
		if _, ok := v.id(with(value)); ok {
			t.Errorf("cookie %q was taken", value)
		}
	}
	if v.stands(a, now.Add(time.Hour)) {
		t.Error("a visit outlasts its life")
	}
	b, c := v.begin(now), v.begin(now)
	if v.stands(a, now) || !v.stands(b, now) || !v.stands(c, now) {
		t.Error("not the oldest visit was given up")
	}
	v.end(b)
	v.end(b)
	v.begin(now)
	if v.stands(b, now) || !v.stands(c, now) || len(v.known) != 2 || len(v.order) != 2 {
		t.Errorf("%d known, %d in order", len(v.known), len(v.order))
	}
}

func TestLogInsAreLimited(t *testing.T) {
	t.Parallel()
	_, b := open(t, engine(t).Connect(), Options{})
	for i := range 2*maxTries + 2 { // whichever minute it is
		a := b.do(http.MethodPost, "login", url.Values{"token": {"wrong-token"}})
		if a.StatusCode == http.StatusTooManyRequests {
			if i < maxTries || a.Header.Get("Retry-After") == "" {
				t.Errorf("refused at try %d, Retry-After %q", i+1, a.Header.Get("Retry-After"))
			}
			if a := b.do(http.MethodPost, "login", url.Values{"token": {testToken}}); a.StatusCode != http.StatusTooManyRequests {
				t.Errorf("the right token after too many wrong ones: %s", a.Status)
			}
			return
		}
	}
	t.Error("log-ins are not limited")
}

func TestFormsNeedTheirToken(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	_, b := open(t, c, Options{})
	b.signIn()
	other := *b
	_, stranger := open(t, c, Options{})
	for name, form := range map[string]url.Values{
		"none":        {},
		"empty":       {"csrf": {""}},
		"somebody's":  {"csrf": {stranger.signIn().csrf("./")}},
		"in the link": nil,
	} {
		if form == nil {
			form = url.Values{"x": {"y"}}
		}
		for _, path := range []string{"logout", "invalidate?what=tag&name=a&csrf=" + url.QueryEscape(b.csrf("./"))} {
			if a := other.do(http.MethodPost, path, form); a.StatusCode != http.StatusForbidden {
				t.Errorf("token %s, POST %s: %s", name, path, a.Status)
			}
		}
	}
	good := url.Values{"csrf": {b.csrf("./")}}
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://example.com"}} {
		if a := b.do(http.MethodPost, "invalidate?what=tag&name=a", good, h...); a.StatusCode != http.StatusForbidden {
			t.Errorf("a form with %s %s: %s", h[0], h[1], a.Status)
		}
	}
	if a := b.do(http.MethodPost, "invalidate?what=tag&name=a", good); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a good form: %s\n%s", a.Status, a.body)
	}
}

func TestHostDecides(t *testing.T) {
	t.Parallel()
	_, b := open(t, engine(t).Connect(), Options{Authenticate: func(r *http.Request) bool { return r.Header.Get("X-User") == "ada" }})
	if a := b.do(http.MethodGet, "./", nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger: %s", a.Status)
	}
	if a := b.do(http.MethodPost, "login", url.Values{"token": {""}}); a.StatusCode == http.StatusOK {
		t.Errorf("a log-in: %s", a.Status)
	}
	page := b.do(http.MethodGet, "invalidate?what=tag&name=a", nil, "X-User", "ada")
	m := csrfField.FindStringSubmatch(page.body)
	if page.StatusCode != http.StatusOK || m == nil {
		t.Fatalf("%s\n%s", page.Status, page.body)
	}
	lacks(t, b.do(http.MethodGet, "./", nil, "X-User", "ada").body, "Sign out")
	if a := b.do(http.MethodPost, "invalidate?what=tag&name=a", url.Values{"csrf": {m[1]}}, "X-User", "ada"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a form: %s", a.Status)
	}
	if a := b.do(http.MethodPost, "invalidate?what=tag&name=a", url.Values{"csrf": {m[1]}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("a stranger's form: %s", a.Status)
	}
}
