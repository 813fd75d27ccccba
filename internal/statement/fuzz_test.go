package statement

import (
	"reflect"
	"regexp"
	"testing"
)

// writing matches what can begin a write: a keyword where a statement may start.
var writing = regexp.MustCompile(`(?i)(^|[(;])[\s;]*(insert|update|delete|merge|replace\s+into|truncate|create|drop|alter|call|do|copy|execute)\b`)

// quotes matches what is no code: comments, strings, quoted names, names after a dot.
var quotes = regexp.MustCompile(`(?s)--[^\r\n]*|/\*.*?\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$`)

// FuzzAnalyze holds the analyser to what is true whatever the text says. That it is
// right is checked in e2e/statement, against PostgreSQL's own parser.
func FuzzAnalyze(f *testing.F) {
	corpus(f, func(sql, want string) string {
		f.Add(sql)
		return want
	})
	f.Fuzz(func(t *testing.T, sql string) {
		s := Analyze(sql)
		for _, end := range []string{" \n", " \n ; -- end", " \n/* end */ "} {
			more := Analyze(sql + end)
			if s.Kind != more.Kind || s.Kind != Unknown && !reflect.DeepEqual(s, more) {
				t.Errorf("%q\n%s\nwith %q after it\n%s", sql, describe(s), end, describe(more))
			}
		}
		switch code := quotes.ReplaceAllString(sql, " "); s.Kind {
		case Unknown:
			if s.Why == "" || s.Reads != nil || s.Writes != nil || s.Pins != nil {
				t.Errorf("%q\n%s", sql, describe(s))
			}
		case Select:
			if writing.MatchString(code) && s.Why == "" || s.Writes != nil {
				t.Errorf("%q\n%s", sql, describe(s))
			}
		case Write:
			if s.Writes == nil || s.Why != "" {
				t.Errorf("%q\n%s", sql, describe(s))
			}
		}
		if s.Pins != nil && len(s.Reads)+len(s.Writes) != 1 {
			t.Errorf("%q\n%s", sql, describe(s))
		}
	})
}
