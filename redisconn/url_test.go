package redisconn

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]target{
		"redis://h":                     {addrs: []string{"h:6379"}},
		"redis://h/":                    {addrs: []string{"h:6379"}},
		"REDIS://h:1/15":                {scheme: "redis", addrs: []string{"h:1"}, database: 15},
		"valkey://10.0.0.1:65535":       {addrs: []string{"10.0.0.1:65535"}},
		"valkeys://h":                   {addrs: []string{"h:6379"}, tls: true},
		"redis://[::1]:1":               {addrs: []string{"[::1]:1"}},
		"redis://[::1]":                 {addrs: []string{"[::1]:6379"}},
		"rediss://:p@h":                 {addrs: []string{"h:6379"}, tls: true, password: "p"},
		"redis://u:p%40%3A%2F%23%25+@h": {addrs: []string{"h:6379"}, username: "u", password: "p@:/#%+"},
		"redis://u%3A:a:b@h":            {addrs: []string{"h:6379"}, username: "u:", password: "a:b"},
		"redis://u:p@q@h":               {addrs: []string{"h:6379"}, username: "u", password: "p@q"},
		"redis://u@h":                   {addrs: []string{"h:6379"}, username: "u"},
		"unix:///run/r.sock":            {addrs: []string{"/run/r.sock"}, unix: true},
		"unix:///run/a@b%20c.sock?db=2": {addrs: []string{"/run/a@b c.sock"}, unix: true, database: 2},
		"unix://u:p@/run/r.sock":        {addrs: []string{"/run/r.sock"}, unix: true, username: "u", password: "p"},
		"redis+cluster://a:1,b:2,c":     {addrs: []string{"a:1", "b:2", "c:6379"}, cluster: true},
		"rediss+cluster://u:p@a:1/0":    {addrs: []string{"a:1"}, cluster: true, tls: true, username: "u", password: "p"},
		"redis+cluster://a?addr=b&addr=a:6379&addr=[::1]:7": {
			addrs: []string{"a:6379", "b:6379", "[::1]:7"}, cluster: true,
		},
		"redis+sentinel://a,b:2/main":        {addrs: []string{"a:26379", "b:2"}, master: "main"},
		"valkey+sentinel://u:p@a/my%20set/3": {addrs: []string{"a:26379"}, master: "my set", database: 3, username: "u", password: "p"},
		"rediss+sentinel://a/main/":          {addrs: []string{"a:26379"}, master: "main", tls: true},
	} {
		if want.scheme == "" {
			want.scheme, _, _ = strings.Cut(raw, "://")
		}
		got, err := parseURL(raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", raw, got, err, want)
		}
	}
}

// badURLs are wrong in the part that the error must name. Where something
// secret can be in them it is spelled with "hush".
var badURLs = []struct{ raw, part string }{
	{"", "empty"},
	{" redis://h", "spaces"},
	{"redis://h\n", "line ends"},
	{"redis://u:hu sh@h", "spaces"},
	{"hush", "scheme: missing"},
	{"u:hush@h:6379", "scheme: missing"},
	{"http://h", "scheme: unknown"},
	{"hush://h", "scheme: unknown"},
	{"embedded://", "scheme: unknown"},
	{"redis://", "host: empty"},
	{"redis://:6379", "host: empty"},
	{"redis://u:hush@", "host: empty"},
	{"redis:///1", "host: empty"},
	{"redis://u:hush", "port"},
	{"redis://h:", "port"},
	{"redis://h:0", "port"},
	{"redis://h:65536", "port"},
	{"redis://h:-1", "port"},
	{"redis://::1", "brackets"},
	{"redis://[::1", "brackets"},
	{"redis://[hush]", "brackets"},
	{"redis://[::1]6379", "host"},
	{"redis://h$hush", "host"},
	{"redis://a,b", "host: redis:// takes one"},
	{"redis://u:hush%zz@h", "credentials"},
	{"redis://u:hu/hush@h", "credentials"},
	{"redis://u:hu#hush@h", "credentials"},
	{"redis://u:hu?hush@h", "credentials"},
	{"redis://h/hush", "database"},
	{"redis://h/-1", "database"},
	{"redis://h/1/2", "database"},
	{"redis://h#hush", "fragment"},
	{"redis://h?password=hush", "parameter: redis:// takes none"},
	{"redis://h?db=%zz", "parameter"},
	{"unix:///r?hush=1", "parameter: unknown; unix:// takes db only"},
	{"unix:///r?db=1&db=2", "parameter: db is given 2 times"},
	{"unix:///r?db=x", "database"},
	{"unix://run/redis.sock", "path"},
	{"unix://", "path"},
	{"unix:///", "path"},
	{"redis+cluster://a/1", "database: a cluster has database 0 only"},
	{"redis+cluster://a,", "host: empty"},
	{"redis+cluster://a?addr=", "host: empty"},
	{"redis+cluster://a?nodes=b", "takes addr only"},
	{"redis+sentinel://a", "master"},
	{"redis+sentinel://a//1", "master"},
	{"redis+sentinel:///main", "host: empty"},
	{"redis+sentinel://a/main/x", "database"},
}

func TestBadURLNamesItsPart(t *testing.T) {
	t.Parallel()
	for _, b := range badURLs {
		_, err := parseURL(b.raw)
		switch {
		case err == nil:
			t.Errorf("%q was accepted", b.raw)
		case !strings.Contains(err.Error(), b.part):
			t.Errorf("%q: %v; the error does not name %q", b.raw, err, b.part)
		case strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "hu "):
			t.Errorf("%q: the error tells secrets: %v", b.raw, err)
		case !strings.HasPrefix(err.Error(), "redisconn: "):
			t.Errorf("%q: %v does not say where it comes from", b.raw, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, b := range badURLs {
		f.Add(b.raw)
	}
	f.Add("rediss+sentinel://u:p%40@a:1,[::1]:2/main/3")
	f.Add("redis+cluster://u:p@a:1,b?addr=c:7")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := parseURL(raw)
		if err != nil {
			return
		}
		if len(got.addrs) == 0 || got.scheme == "" || got.database < 0 {
			t.Errorf("%q gave %+v", raw, got)
		}
	})
}
