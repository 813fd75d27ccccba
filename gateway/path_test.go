package gateway

import (
	"slices"
	"strings"
	"testing"
)

func TestPathForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, query string
		want        []string // nil for an error
	}{
		{"/get/foo", "", []string{"get", "foo"}},
		{"/get/a%2Fb", "", []string{"get", "a/b"}},
		{"/set/a//b", "", []string{"set", "a", "", "b"}},
		{"//get", "", []string{"", "get"}},
		{"/get/../x/.", "", []string{"get", "..", "x", "."}},
		{"/get/a+b%20c", "", []string{"get", "a+b c"}},
		{"/get/%ff%00", "", []string{"get", "\xff\x00"}},
		{"/get/%zz", "", nil},
		{"/get/%", "", nil},
		{"/set/k/v", "EX=100&NX", []string{"set", "k", "v", "EX", "100", "NX"}},
		{"/set/k/v", "NX&EX=100&EX=1", []string{"set", "k", "v", "NX", "EX", "100", "EX", "1"}},
		{"/a", "b=&=c&&d=e=f", []string{"a", "b", "", "", "c", "d", "e=f"}},
		{"/a", "b=x+y%26%3D", []string{"a", "b", "x y&="}},
		{"/a", "_token=secret&b", []string{"a", "b"}},
		{"/a", "b&%5Ftoken=secret", []string{"a", "b"}},
		{"/a", "b=%z", nil},
	} {
		args, err := pathArgs(tt.path)
		if err == nil {
			args, err = queryArgs(args, tt.query)
		}
		if (err != nil) != (tt.want == nil) || err == nil && !slices.Equal(args, tt.want) {
			t.Errorf("%s?%s: %q, %v; want %q", tt.path, tt.query, args, err, tt.want)
		}
	}
}

func TestTopicName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, query, want string }{
		{"chat", "", "chat"},
		{"a/b", "", "a/b"},
		{"a%2Fb", "_token=x", "a/b"},
		{"u", "er", "u?er"},
		{"u", "er:*&x=1&_token=t", "u?er:*&x=1"},
		{"a+b%20c", "", "a+b c"},
	} {
		if got, err := topicName(tt.path, tt.query); err != nil || got != tt.want {
			t.Errorf("%s?%s: %q, %v; want %q", tt.path, tt.query, got, err, tt.want)
		}
	}
}

func TestTokenParameter(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"_token=a%2Bb": "a+b", "x=1&_token=t&_token=u": "t", "%5Ftoken=t": "t", "token=t": "", "": "", "x": "", "_token": "",
	} {
		if got, _ := tokenParameter(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// FuzzPath: what is escaped comes back, and no token becomes an argument.
func FuzzPath(f *testing.F) {
	f.Add("get/a%2Fb", "EX=1&NX&_token=x")
	f.Add("//%ff/..", "a=&=b&&%5ftoken=c")
	f.Add("%", "%z")
	f.Fuzz(func(t *testing.T, path, query string) {
		args, err := pathArgs("/" + path)
		if err != nil {
			return
		}
		if want := strings.Count(path, "/") + 1; len(args) != want && path != "" && path[0] != '/' {
			t.Fatalf("%q has %d segments, want %d", path, len(args), want)
		}
		before := len(args)
		all, err := queryArgs(args, query)
		if err != nil {
			return
		}
		if most := strings.Count(query, "&") + strings.Count(query, "=") + 1; len(all)-before > most {
			t.Fatalf("%q gives %q", query, all[before:])
		}
		if secret, ok := tokenParameter("_token=s3cr3t&" + query); !ok || secret != "s3cr3t" {
			t.Fatalf("%q hides the token", query)
		}
		with, err := queryArgs(slices.Clone(args), "_token=s3cr3t&"+query)
		if err != nil || !slices.Equal(with, all) {
			t.Fatalf("%q: the token changes the arguments to %q", query, with)
		}
		if _, err := topicName(path, query); err != nil && !strings.Contains(query, "%") {
			t.Fatalf("%q?%q: %v", path, query, err)
		}
	})
}
