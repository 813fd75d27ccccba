package gateway

import (
	"net/http"
	"net/url"
	"testing"
)

// Nobody has a role who has not presented a whole token, wherever it stands.
func FuzzToken(f *testing.F) {
	const full, readers = "standard-token", "reader-token"
	known := newTokens(Options{Token: full, ReadOnlyToken: readers})
	one := newTokens(Options{Token: full})
	f.Add("Bearer "+full, "")
	f.Add("bearer  "+readers+" ", "_token="+full)
	f.Add("", "a=1&%5Ftoken="+full+"&_token=x")
	f.Add("Basic "+full, "_token=%zz")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: query}}
		if header != "" {
			r.Header["Authorization"] = []string{header}
		}
		given, ok := bearer(r)
		if !ok {
			given, _ = tokenParameter(query)
		}
		want := nobody
		switch given {
		case full:
			want = standard
		case readers:
			want = reader
		}
		if got := known.role(r); got != want {
			t.Errorf("%q, %q: role %d, want %d", header, query, got, want)
		}
		if got := one.role(r); got != nobody && given != full {
			t.Errorf("%q, %q: role %d without readers", header, query, got)
		}
	})
}
