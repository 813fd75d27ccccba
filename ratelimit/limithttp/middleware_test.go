package limithttp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/limithttp"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

func local(t *testing.T, a ratelimit.Algorithm) *ratelimit.Limiter {
	t.Helper()
	l, err := ratelimit.New(nil, ratelimit.Options{Algorithm: a, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })

func handler(t *testing.T, l limithttp.Limiter, o limithttp.Options) http.Handler {
	t.Helper()
	m, err := limithttp.New(l, o)
	if err != nil {
		t.Fatal(err)
	}
	return m.Handler(ok)
}

func get(h http.Handler, change ...func(r *http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFieldsAndProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(t, local(t, ratelimit.FixedWindow(2, time.Minute)), limithttp.Options{Name: "api"})
		time.Sleep(12500 * time.Millisecond)
		for i, want := range []struct {
			status               int
			limit, retry, t, bod string
		}{
			{200, `"api";r=1;t=48`, "", "text/plain; charset=utf-8", "ok"},
			{200, `"api";r=0;t=48`, "", "text/plain; charset=utf-8", "ok"},
			{
				429, `"api";r=0;t=48`, "48", "application/problem+json",
				`{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded",` +
					`"title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"violated-policies":["api"]}`,
			},
		} {
			w := get(h)
			f := w.Header()
			if w.Code != want.status || f.Get("RateLimit") != want.limit || f.Get("RateLimit-Policy") != `"api";q=2;w=60` ||
				f.Get("Retry-After") != want.retry || f.Get("Content-Type") != want.t || w.Body.String() != want.bod {
				t.Errorf("request %d: %d %v %s", i, w.Code, f, w.Body)
			}
		}
		time.Sleep(48 * time.Second)
		if w := get(h); w.Code != 200 {
			t.Errorf("after Retry-After: %d", w.Code)
		}
	})
}

func TestPolicyOfEachAlgorithm(t *testing.T) {
	for _, tt := range []struct {
		a    ratelimit.Algorithm
		want string
	}{
		{ratelimit.SlidingWindow(100, time.Hour), `"default";q=100;w=3600`},
		{ratelimit.TokenBucket(5, 10*time.Second, 12), `"default";q=12;w=30`},
		{ratelimit.GCRA(60, time.Minute, 10), `"default";q=10;w=10`},
		{ratelimit.FixedWindow(1, 1500*time.Millisecond), `"default";q=1;w=2`},
	} {
		w := get(handler(t, local(t, tt.a), limithttp.Options{}))
		if got := w.Header().Get("RateLimit-Policy"); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// Several policies are members of one list.
func TestNestedMiddlewares(t *testing.T) {
	outer, err := limithttp.New(local(t, ratelimit.FixedWindow(10, time.Minute)), limithttp.Options{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	w := get(outer.Handler(handler(t, local(t, ratelimit.FixedWindow(5, time.Minute)), limithttp.Options{Name: "b"})))
	if got := strings.Join(w.Header().Values("RateLimit-Policy"), ", "); got != `"a";q=10;w=60, "b";q=5;w=60` {
		t.Error(got)
	}
	if len(w.Header().Values("RateLimit")) != 2 {
		t.Error(w.Header())
	}
}

// fixed answers with one decision.
type fixed struct {
	d   ratelimit.Decision
	err error
	ids []string
}

func (f *fixed) Limit(_ context.Context, id string, _ ...ratelimit.CallOption) (ratelimit.Decision, error) {
	f.ids = append(f.ids, id)
	return f.d, f.err
}
func (f *fixed) Policy() ratelimit.Policy { return ratelimit.Policy{Quota: 3, Window: time.Minute} }

func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		d      ratelimit.Decision
		err    error
		o      limithttp.Options
		status int
		body   string
		retry  string
		fields bool
	}{
		"denied":            {d: ratelimit.Decision{Limit: 3, Reason: ratelimit.ReasonDenied, Denied: "192.0.2.1"}, status: 403, body: "#abnormal-usage-detected"},
		"nobody decides":    {d: ratelimit.Decision{Reason: ratelimit.ReasonTimeout, RetryAfter: time.Second}, status: 503, body: "#temporary-reduced-capacity", retry: "1"},
		"allowed unknowing": {d: ratelimit.Decision{Allowed: true, Reason: ratelimit.ReasonUnavailable}, status: 200, body: "ok"},
		"local stand-in":    {d: ratelimit.Decision{Limit: 3, Reason: ratelimit.ReasonUnavailable, RetryAfter: 1}, status: 429, body: "quota", retry: "1", fields: true},
		"an error":          {err: errors.New("secret"), status: 500, body: `{"title":"The rate limit could not be checked","status":500}`},
		"own error":         {err: errors.New("x"), status: 418, o: limithttp.Options{Error: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(418) }}},
		"own refusal": {
			d: ratelimit.Decision{Limit: 3, RetryAfter: time.Second}, status: 420, retry: "1", fields: true,
			o: limithttp.Options{Refused: func(w http.ResponseWriter, _ *http.Request, _ ratelimit.Decision) { w.WriteHeader(420) }},
		},
	} {
		w := get(handler(t, &fixed{d: tt.d, err: tt.err}, tt.o))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) || w.Header().Get("Retry-After") != tt.retry ||
			(w.Header().Get("RateLimit") != "") != tt.fields {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		for _, secret := range []string{"secret", "192.0.2.1"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s: the body tells %q", name, secret)
			}
		}
	}
	// A request that has run out of time is not a success.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	w := get(handler(t, &fixed{err: context.Canceled}, limithttp.Options{}), func(r *http.Request) { *r = *r.WithContext(ended) })
	if w.Code != 503 {
		t.Errorf("ended: %d", w.Code)
	}
}

func TestCostAndClient(t *testing.T) {
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	l, err := ratelimit.New(c, ratelimit.Options{Algorithm: ratelimit.FixedWindow(10, time.Hour), DenyList: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := l.Deny(t.Context(), "evil/1.0", "198.51.100.0/24"); err != nil {
		t.Fatal(err)
	}
	h := handler(t, l, limithttp.Options{
		Client: limithttp.ClientOf(limithttp.IPOptions{}),
		Cost: func(r *http.Request) int64 {
			if r.Method == http.MethodPost {
				return 4
			}
			return -1 // not a way to give back
		},
	})
	post := func(r *http.Request) { r.Method = http.MethodPost }
	for i, want := range []string{`r=6`, `r=2`} {
		if w := get(h, post); !strings.Contains(w.Header().Get("RateLimit"), want) {
			t.Errorf("request %d: %v", i, w.Header())
		}
	}
	if w := get(h, post); w.Code != 429 {
		t.Errorf("%d", w.Code)
	}
	if w := get(h); w.Code != 200 || !strings.Contains(w.Header().Get("RateLimit"), "r=1") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := get(h, func(r *http.Request) { r.Header.Set("User-Agent", "evil/1.0") }); w.Code != 403 {
		t.Errorf("user agent: %d", w.Code)
	}
	if w := get(h, func(r *http.Request) { r.RemoteAddr = "198.51.100.9:1" }); w.Code != 403 {
		t.Errorf("address: %d", w.Code)
	}
}

func TestBadOptions(t *testing.T) {
	l := local(t, ratelimit.FixedWindow(1, time.Second))
	if _, err := limithttp.New(nil, limithttp.Options{}); err == nil {
		t.Error("no limiter is no error")
	}
	for _, name := range []string{`a"b`, "a b", "é", strings.Repeat("n", 65), "a\r\nb"} {
		if _, err := limithttp.New(l, limithttp.Options{Name: name}); err == nil || !strings.Contains(err.Error(), "Options.Name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
