package dashboard

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if code == 0 {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if err := goleak.Find(); err != nil {
			_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
			code = 1
		}
	}
	os.Exit(code)
}

const testToken = "the-token-of-the-tests"

// patience is long enough for a loaded machine; nothing waits for it otherwise.
const patience = 30 * time.Second

func engine(t testing.TB) *embedded.Engine {
	t.Helper()
	e, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// open makes a dashboard for a test, below /ops/cache of a server.
func open(t testing.TB, c conn.Conn, o Options) (*Dashboard, *browser) {
	t.Helper()
	if o.Token == "" && o.Authenticate == nil {
		o.Token = testToken
	}
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	d, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/cache/", http.StripPrefix("/ops/cache", d))
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = d.Close()
		srv.Close()
	})
	return d, newBrowser(t, srv, "/ops/cache/")
}

// browser keeps cookies and follows relative links, as browsers do.
type browser struct {
	t    testing.TB
	http *http.Client
	base *url.URL
}

func newBrowser(t testing.TB, srv *httptest.Server, path string) *browser {
	t.Helper()
	base, err := url.Parse(srv.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, base: base, http: &http.Client{
		Jar: jar, Transport: srv.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response that has been read.
type answer struct {
	*http.Response
	body string
}

// do sends a request and reads the answer; redirects are not followed.
func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.t.Helper()
	at, err := b.base.Parse(path)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res, string(text)}
}

// get is a page, which must be there.
func (b *browser) get(path string) string {
	b.t.Helper()
	a := b.do(http.MethodGet, path, nil)
	if a.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %s\n%s", path, a.Status, a.body)
	}
	return a.body
}

// signIn logs in.
func (b *browser) signIn() *browser {
	b.t.Helper()
	a := b.do(http.MethodPost, "login", url.Values{"token": {testToken}})
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "./" {
		b.t.Fatalf("log in: %s, to %q\n%s", a.Status, a.Header.Get("Location"), a.body)
	}
	return b
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// csrf is the token of the forms of a page.
func (b *browser) csrf(page string) string {
	b.t.Helper()
	m := csrfField.FindStringSubmatch(b.get(page))
	if m == nil {
		b.t.Fatalf("no form on %s", page)
	}
	return m[1]
}

func must(t testing.TB, c conn.Doer, args ...string) conn.Value {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key(args[0], args[1], args[2:]...))
	if err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	return v
}

func contains(t testing.TB, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, inside(page))
		}
	}
}

func lacks(t testing.TB, page string, unwanted ...string) {
	t.Helper()
	for _, u := range unwanted {
		if strings.Contains(page, u) {
			t.Errorf("%q in\n%s", u, inside(page))
		}
	}
}

// inside is the part of a page below its heading.
func inside(page string) string {
	_, main, ok := strings.Cut(page, `<div class="panels">`)
	if !ok {
		return page
	}
	return main
}
