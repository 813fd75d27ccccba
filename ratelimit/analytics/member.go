package analytics

import (
	"strings"
	"unicode/utf8"
)

// Outcome is what became of a request.
type Outcome uint8

// The outcomes.
const (
	Limited Outcome = iota
	Allowed
	Denied // by a deny list; the identifier is the denied value
)

// Event is one kind of decision. Events that are equal are counted together.
type Event struct {
	Identifier string
	Outcome    Outcome
	// Where the request came from; empty fields are left out.
	Country, City, Region, IP string
}

// outcomes are the JSON values of the field success.
var outcomes = [...]string{Limited: "false", Allowed: "true", Denied: `"denied"`}

// member is the event as JSON.stringify writes it.
func (e Event) member() string {
	b := make([]byte, 0, 64+len(e.Identifier))
	b = append(b, `{"identifier":`...)
	b = appendString(b, e.Identifier)
	b = append(b, `,"success":`...)
	b = append(b, outcomes[min(int(e.Outcome), len(outcomes)-1)]...)
	for _, f := range [...]struct{ name, value string }{
		{`,"country":`, e.Country},
		{`,"city":`, e.City},
		{`,"region":`, e.Region},
		{`,"ip":`, e.IP},
	} {
		if f.value != "" {
			b = append(b, f.name...)
			b = appendString(b, f.value)
		}
	}
	return string(append(b, '}'))
}

// appendString writes s as JSON.stringify does (ECMA-262, QuoteJSONString): neither
// HTML characters nor U+2028 and U+2029 are escaped. Bytes that are not UTF-8, which
// a JavaScript string cannot hold, become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
