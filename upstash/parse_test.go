package upstash

import (
	"encoding/json"
	"net/url"
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
		if !utf8.ValidString(a) || !utf8.ValidString(b) { // two halves of one character are valid together
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

// FuzzEvent: what the gateway writes of a message comes out as the message, and a
// line about another channel comes out as nothing.
func FuzzEvent(f *testing.F) {
	f.Add("a,*", "a:b", "x,y")
	f.Add("", "", "1")
	f.Fuzz(func(t *testing.T, name, channel, payload string) {
		s := stream{verb: "subscribe", name: name}
		e, ok := s.event("message," + name + "," + payload)
		// A channel called "message" or the like is its own confirmation's beginning.
		if want := (conn.Message{Channel: name, Payload: payload}); !ok || e.message != want {
			t.Errorf("%q: %+v, want %+v", name, e, want)
		}
		s.verb = "psubscribe"
		e, ok = s.event("pmessage," + name + "," + channel + "," + payload)
		if want := (conn.Message{Pattern: name, Channel: channel, Payload: payload}); !strings.Contains(channel, ",") && (!ok || e.message != want) {
			t.Errorf("%q: %+v, want %+v", name, e, want)
		}
		if e, ok := s.event("message," + name + "," + payload); ok {
			t.Errorf("%q: %+v of another kind", name, e)
		}
	})
}

// FuzzParseURL: what is accepted is the same URL for the standard library, without
// anything secret, and what is refused is not repeated.
func FuzzParseURL(f *testing.F) {
	f.Add("https://name.upstash.io/")
	f.Add("http://me:hush@127.0.0.1:8079")
	f.Add("https://host/?token=hush#x")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := parseURL(raw)
		if err != nil {
			if len(raw) > 30 && strings.Contains(err.Error(), raw) {
				t.Errorf("the error repeats %q", raw)
			}
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("%q became %q, %v", raw, got, err)
		}
	})
}

// FuzzReplies: a body is refused or holds as many replies as were asked for.
func FuzzReplies(f *testing.F) {
	f.Add(`[{"result":"a"},{"error":"ERR"},{"result":[1,null,{"a":1.5}]}]`, 3, false)
	f.Add(`{"result":"YQ=="}`, 1, true)
	f.Add("*1\r\n$1\r\na\r\n", 1, false)
	f.Fuzz(func(t *testing.T, body string, n int, encoded bool) {
		n &= 15
		for name, read := range map[string]func() ([]conn.Value, error){
			"any":  func() ([]conn.Value, error) { return parse(body, n, encoded) },
			"JSON": func() ([]conn.Value, error) { return parseJSON(body, n) },
		} {
			if values, err := read(); err == nil && len(values) != n {
				t.Errorf("%s: %q has %d replies, not %d", name, body, len(values), n)
			}
		}
	})
}
