package embedded

import (
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

func TestParseReply(t *testing.T) {
	str := func(s string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: s} }
	for in, want := range map[string]conn.Value{
		"+OK\r\n":                       {Kind: conn.Status, Str: "OK"},
		"-ERR no\r\n":                   {Kind: conn.Failure, Str: "ERR no"},
		":-12\r\n":                      {Kind: conn.Int, Int: -12},
		"$5\r\na\r\nb!\r\n":             str("a\r\nb!"),
		"$0\r\n\r\n":                    str(""),
		"$-1\r\n":                       {},
		"*-1\r\n":                       {},
		"_\r\n":                         {},
		"#t\r\n":                        {Kind: conn.Bool, Int: 1},
		"#f\r\n":                        {Kind: conn.Bool},
		",1.5\r\n":                      {Kind: conn.Float, Str: "1.5"},
		"(123456789012345678901\r\n":    {Kind: conn.BigNum, Str: "123456789012345678901"},
		"=7\r\ntxt:abc\r\n":             {Kind: conn.Verbatim, Str: "abc"},
		"*0\r\n":                        {Kind: conn.Array, Elems: []conn.Value{}},
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n": {Kind: conn.Array, Elems: []conn.Value{str("a"), {Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Int, Int: 1}}}}},
		"%1\r\n$1\r\na\r\n-E\r\n":       {Kind: conn.Map, Elems: []conn.Value{str("a"), {Kind: conn.Failure, Str: "E"}}},
		"~1\r\n_\r\n":                   {Kind: conn.Set, Elems: []conn.Value{{}}},
	} {
		got, err := parseReply(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "\r\n", "+OK", "$5\r\nabc\r\n", "$-2\r\n", "$x\r\n", "*1\r\n", "*999999999\r\n", "%9223372036854775807\r\n", "$9223372036854775807\r\n",
		":1\r\n:2\r\n", "?\r\n", "#x\r\n", "=2\r\nab\r\n", "=4\r\nabcd\r\n", strings.Repeat("*1\r\n", 1000) + "_\r\n",
	} {
		if v, err := parseReply(in); err == nil {
			t.Errorf("%.30q: got %+v, want an error", in, v)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	for _, s := range []string{"+OK\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n+a\r\n_\r\n", "~1\r\n#t\r\n", "=7\r\ntxt:abc\r\n", "*-1\r\n", "*1\r\n*1\r\n*0\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseReply(s)
		if err != nil && !v.IsNil() {
			t.Errorf("%+v with %v", v, err)
		}
	})
}
