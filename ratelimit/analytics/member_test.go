package analytics

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// The bytes are those of JSON.stringify: TypeScript adds to the same members.
func TestMember(t *testing.T) {
	for _, tt := range []struct {
		e    Event
		want string
	}{
		{Event{Identifier: "u", Outcome: Allowed, Country: "TR", IP: "1.2.3.4"}, `{"identifier":"u","success":true,"country":"TR","ip":"1.2.3.4"}`},
		{Event{Identifier: "u"}, `{"identifier":"u","success":false}`},
		{Event{Identifier: "1.2.3.4", Outcome: Denied}, `{"identifier":"1.2.3.4","success":"denied"}`},
		{
			Event{Identifier: "u", Outcome: Allowed, Country: "DE", City: "Köln", Region: "NW", IP: "::1"},
			`{"identifier":"u","success":true,"country":"DE","city":"Köln","region":"NW","ip":"::1"}`,
		},
		{Event{Identifier: "<a href='x'>&"}, `{"identifier":"<a href='x'>&","success":false}`},
		{Event{Identifier: "a\u2028b\u2029c"}, "{\"identifier\":\"a\u2028b\u2029c\",\"success\":false}"},
		{Event{Identifier: "\b\f\n\r\t\v\x00\x1f\x7f"}, `{"identifier":"\b\f\n\r\t\u000b\u0000\u001f` + "\x7f" + `","success":false}`},
		{Event{Identifier: `"\/`}, `{"identifier":"\"\\/","success":false}`},
		{Event{Identifier: "😀\xff"}, "{\"identifier\":\"😀\uFFFD\",\"success\":false}"},
	} {
		if got := tt.e.member(); got != tt.want {
			t.Errorf("%q\nwant %q", got, tt.want)
		}
	}
}

// Against the standard library, of which the differences to JavaScript are undone.
func FuzzString(f *testing.F) {
	f.Add("a\u2028<>&\"\\\x01\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(strings.ToValidUTF8(s, "\uFFFD")); err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSuffix(b.String(), "\n")
		// A backslash of the text itself is doubled, so an escape begins at an even one.
		want = unescape(want)
		got := string(appendString(nil, s))
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || utf8.ValidString(s) && back != s {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	})
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		switch {
		case strings.HasPrefix(s[i:], `\u2028`):
			b.WriteString("\u2028")
			i += 5
		case strings.HasPrefix(s[i:], `\u2029`):
			b.WriteString("\u2029")
			i += 5
		default:
			b.WriteString(s[i : i+2])
			i++
		}
	}
	return b.String()
}
