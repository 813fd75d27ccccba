package limithttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/limithttp"
)

func Example() {
	l, err := ratelimit.New(nil, ratelimit.Options{Algorithm: ratelimit.TokenBucket(1, time.Minute, 1), Local: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	proxies := limithttp.IPOptions{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	m, err := limithttp.New(l, limithttp.Options{
		Key: limithttp.First(limithttp.APIKey("X-API-Key"), limithttp.IP(proxies)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "hello") }))

	for range 2 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header.Set("X-Forwarded-For", "1.1.1.1, 198.51.100.7") // the left one is made up
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Printf("%d %s retry %q\n", w.Code, w.Header().Get("RateLimit-Policy"), w.Header().Get("Retry-After"))
	}
	// Output:
	// 200 "default";q=1;w=60 retry ""
	// 429 "default";q=1;w=60 retry "60"
}
