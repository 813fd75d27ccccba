package upstash

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/larder-go/larder/conn"
)

func TestParseRESP(t *testing.T) {
	t.Parallel()
	bulk := func(s string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: s} }
	for body, want := range map[string]conn.Value{
		"+OK\r\n":                 {Kind: conn.Status, Str: "OK"},
		"-ERR no\r\n":             {Kind: conn.Failure, Str: "ERR no"},
		":-7\r\n":                 {Kind: conn.Int, Int: -7},
		"$-1\r\n":                 {},
		"*-1\r\n":                 {},
		"$4\r\na\r\nb\r\n":        bulk("a\r\nb"),
		"$0\r\n\r\n":              bulk(""),
		"*2\r\n$1\r\na\r\n*0\r\n": {Kind: conn.Array, Elems: []conn.Value{bulk("a"), {Kind: conn.Array, Elems: []conn.Value{}}}},
	} {
		got, err := parseRESP(body, 1)
		if err != nil || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%q: got %+v, %v", body, got, err)
		}
		for i := range body {
			if _, err := parseRESP(body[:i], 1); err == nil {
				t.Errorf("%q was taken for a whole reply", body[:i])
			}
		}
	}
	for _, body := range []string{"$-2\r\n", "*-2\r\n", "$x\r\n", "$1\r\nabc", ":\r\n", "?1\r\n", "$9223372036854775807\r\nab\r\n"} {
		if v, err := parseRESP(body, 1); err == nil {
			t.Errorf("%q is %+v", body, v)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	body := `[{"result":"OK"},{"result":"T0s="},{"result":9007199254740993},{"result":null},{"error":"ERR no"},{"result":["YQ==",[1]]},{"result":"not base64!"}]`
	want := []conn.Value{
		{Kind: conn.Status, Str: "OK"},
		{Kind: conn.Bulk, Str: "OK"},
		{Kind: conn.Int, Int: 9007199254740993},
		{},
		{Kind: conn.Failure, Str: "ERR no"},
		{Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Bulk, Str: "a"}, {Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Int, Int: 1}}}}},
		{Kind: conn.Bulk, Str: "not base64!"},
	}
	if got, err := parseJSON(body, len(want)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, body := range []string{``, `[`, `{}`, `[]`, `[{"result":true}]`, `[{"result":{}}]`, `[{"result":1}] x`, `[{"result":1},{"result":1}]`} {
		if v, err := parseJSON(body, 1); err == nil {
			t.Errorf("%s is %+v", body, v)
		}
	}
}

func FuzzParseRESP(f *testing.F) {
	f.Add("*2\r\n$1\r\na\r\n:1\r\n", 1)
	f.Fuzz(func(_ *testing.T, body string, n int) { _, _ = parseRESP(body, n&15) })
}

func FuzzCommand(f *testing.F) {
	f.Add("a\"\\\x00\n\xff", "é")
	f.Fuzz(func(t *testing.T, a, b string) {
		var got []string
		sent := appendCommand(nil, []string{a, b})
		if !utf8.ValidString(a + b) {
			return
		}
		if err := json.Unmarshal(sent, &got); err != nil || !reflect.DeepEqual(got, []string{a, b}) {
			t.Errorf("%q became %q, %v", []string{a, b}, got, err)
		}
	})
}

func TestLinesOfEvents(t *testing.T) {
	t.Parallel()
	s := stream{verb: "psubscribe", name: "a,*"}
	for data, want := range map[string]event{
		"psubscribe,a,*,1":     {confirmed: true},
		"pmessage,a,*,a:b,x,y": {message: conn.Message{Pattern: "a,*", Channel: "a:b", Payload: "x,y"}},
		"pmessage,a,*,a:b,":    {message: conn.Message{Pattern: "a,*", Channel: "a:b"}},
	} {
		if got, ok := s.event(data); !ok || got != want {
			t.Errorf("%q: got %+v, %v", data, got, ok)
		}
	}
	for _, data := range []string{"", "pmessage", "pmessage,b*,b,x", "pmessage,a,*,ab", "message,a,*,x", strings.Repeat(",", 100)} {
		if got, ok := s.event(data); ok {
			t.Errorf("%q: got %+v", data, got)
		}
	}
}
