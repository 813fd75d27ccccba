package limithttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/limithttp"
)

var ours = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestIP(t *testing.T) {
	for name, tt := range map[string]struct {
		remote    string
		forwarded []string
		o         limithttp.IPOptions
		want      string
	}{
		"the connection":                     {remote: "192.0.2.1:1234", want: "192.0.2.1"},
		"nobody is trusted":                  {remote: "10.0.0.1:1", forwarded: []string{"192.0.2.1"}, want: "10.0.0.1"},
		"not from a proxy of ours":           {"192.0.2.1:1", []string{"198.51.100.1"}, limithttp.IPOptions{Trusted: ours}, "192.0.2.1"},
		"one proxy":                          {"10.0.0.1:1", []string{"198.51.100.1"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"what the client invents":            {"10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"an invented address of ours":        {"10.0.0.1:1", []string{"10.9.9.9, 198.51.100.1"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"two proxies":                        {"10.0.0.1:1", []string{"1.1.1.1,198.51.100.1 , 10.0.0.2"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"several fields":                     {"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1", "10.0.0.3,10.0.0.2"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"all of them ours":                   {"10.0.0.1:1", []string{"10.0.0.4, 10.0.0.3"}, limithttp.IPOptions{Trusted: ours}, "10.0.0.4"},
		"no field":                           {"10.0.0.1:1", nil, limithttp.IPOptions{Trusted: ours}, "10.0.0.1"},
		"garbage before the nearest":         {"10.0.0.1:1", []string{"1.1.1.1, unknown, 10.0.0.2"}, limithttp.IPOptions{Trusted: ours}, "10.0.0.2"},
		"garbage":                            {"10.0.0.1:1", []string{"<script>"}, limithttp.IPOptions{Trusted: ours}, "10.0.0.1"},
		"an empty member":                    {"10.0.0.1:1", []string{"1.1.1.1,,"}, limithttp.IPOptions{Trusted: ours}, "10.0.0.1"},
		"too many hops":                      {"10.0.0.1:1", []string{"1.1.1.1" + strings.Repeat(",10.0.0.2", 40)}, limithttp.IPOptions{Trusted: ours}, "10.0.0.2"},
		"with ports":                         {"10.0.0.1:1", []string{"[2001:db8::1]:99, 10.0.0.2:80"}, limithttp.IPOptions{Trusted: ours, IPv6Bits: 128}, "2001:db8::1"},
		"in brackets":                        {"10.0.0.1:1", []string{"[2001:db8::1]"}, limithttp.IPOptions{Trusted: ours, IPv6Bits: 128}, "2001:db8::1"},
		"IPv6, by network":                   {remote: "[2001:db8:1:2:3:4:5:6]:1", want: "2001:db8:1:2::/64"},
		"IPv6, by smaller network":           {remote: "[2001:db8:1:2:3:4:5:6]:1", o: limithttp.IPOptions{IPv6Bits: 56}, want: "2001:db8:1::/56"},
		"IPv6, whole":                        {remote: "[2001:db8::6%eth0]:1", o: limithttp.IPOptions{IPv6Bits: 128}, want: "2001:db8::6"},
		"IPv6, bits that make no sense":      {remote: "[2001:db8::6]:1", o: limithttp.IPOptions{IPv6Bits: -3}, want: "2001:db8::/64"},
		"IPv4 in IPv6's clothes":             {remote: "[::ffff:192.0.2.1]:1", want: "192.0.2.1"},
		"a proxy in IPv6's clothes":          {"[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, limithttp.IPOptions{Trusted: ours}, "198.51.100.1"},
		"a unix socket":                      {remote: "@", forwarded: []string{"192.0.2.1"}, o: limithttp.IPOptions{Trusted: ours}, want: ""},
		"nothing":                            {want: ""},
		"an address that ends in the middle": {remote: "[2001:db8", want: ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := limithttp.IP(tt.o)(r); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestKeys(t *testing.T) {
	l := &fixed{d: ratelimit.Decision{Allowed: true}}
	ask := func(key limithttp.KeyFunc, change func(r *http.Request)) string {
		get(handler(t, l, limithttp.Options{Key: key}), func(r *http.Request) {
			r.RemoteAddr = "192.0.2.1:1"
			if change != nil {
				change(r)
			}
		})
		return l.ids[len(l.ids)-1]
	}
	withKey := func(v string) func(r *http.Request) { return func(r *http.Request) { r.Header.Set("X-API-Key", v) } }
	user := limithttp.User(func(r *http.Request) string { return r.Header.Get("X-User") })

	const hashed = "key:2bb80d537b1da3e38bd30361aa855686" // sha256("secret"), half of it
	if got := ask(limithttp.APIKey("X-API-Key"), withKey("secret")); got != hashed {
		t.Errorf("API key: %s", got)
	}
	if got := ask(limithttp.APIKey("X-API-Key"), nil); got != "unknown" {
		t.Errorf("without a key: %q", got)
	}
	first := limithttp.First(limithttp.APIKey("X-API-Key"), user, limithttp.IP(limithttp.IPOptions{}))
	if got := ask(first, nil); got != "192.0.2.1" {
		t.Errorf("first: %q", got)
	}
	if got := ask(first, func(r *http.Request) { r.Header.Set("X-User", "ann") }); got != "ann" {
		t.Errorf("first: %q", got)
	}
	if got := ask(first, withKey("secret")); got != hashed {
		t.Errorf("first: %q", got)
	}
	if got := ask(nil, nil); got != "192.0.2.1" {
		t.Errorf("default: %q", got)
	}
	long := ask(user, func(r *http.Request) { r.Header.Set("X-User", strings.Repeat("a", 2000)) })
	if len(long) != len("long:")+32 || !strings.HasPrefix(long, "long:") {
		t.Errorf("a long name: %q", long)
	}

	// Inside a mux the pattern is known.
	mux := http.NewServeMux()
	m, err := limithttp.New(l, limithttp.Options{Key: limithttp.Route(user)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := limithttp.New(l, limithttp.Options{Key: limithttp.Route(nil)})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("GET /posts/{id}", m.Handler(ok))
	mux.Handle("/", all.Handler(ok))
	l.ids = nil
	for _, path := range []string{"/posts/1", "/posts/2", "/x", "/y"} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	if got := strings.Join(l.ids, " | "); got != "route:GET /posts/{id}#unknown | route:GET /posts/{id}#unknown | route:/ | route:/" {
		t.Errorf("routes: %s", got)
	}
}

// Whatever stands in the field, only addresses come out, and nobody but a proxy of
// ours has a say.
func FuzzForwarded(f *testing.F) {
	f.Add("10.0.0.1:1", "1.1.1.1, 198.51.100.1")
	f.Add("192.0.2.1:1", "[::1]:80,,")
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = []string{forwarded}
		got := limithttp.IP(limithttp.IPOptions{Trusted: ours, IPv6Bits: 128})(r)
		if got != "" {
			if _, err := netip.ParseAddr(got); err != nil {
				t.Errorf("%q", got)
			}
		}
		direct := limithttp.IP(limithttp.IPOptions{IPv6Bits: 128})(r)
		if a, err := netip.ParseAddr(direct); (err != nil || !ours[0].Contains(a) && !ours[1].Contains(a)) && got != direct {
			t.Errorf("%q from %q", got, remote)
		}
	})
}
