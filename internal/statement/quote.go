package statement

import "strings"

// plain reads the rest of '…'.
func (l *lexer) plain() {
	s, doubled := l.until('\'')
	k := text
	if i := strings.IndexByte(s, '\\'); i >= 0 {
		// Without standard_conforming_strings, \' would not end it.
		for part := range strings.SplitSeq(s, "'") {
			if (len(part)-len(strings.TrimRight(part, `\`)))%2 == 1 {
				l.fail("a backslash before a quote")
			}
		}
		k = opaque
	}
	if doubled {
		s = strings.ReplaceAll(s, "''", "'")
	}
	l.string(k, s)
}

// escaped reads the rest of E'…'.
func (l *lexer) escaped() {
	var b strings.Builder
	for l.at < len(l.sql) {
		c := l.sql[l.at]
		l.at++
		switch {
		case c == '\'' && l.byteAt(0) != '\'':
			l.string(text, b.String())
			return
		case c == '\'':
			l.at++
		case c == '\\':
			c = l.byteAt(0)
			l.at++
			if i := strings.IndexByte(`btnfr`, c); i >= 0 {
				c = "\b\t\n\f\r"[i]
			} else if isDigit(c) || startsWord(c) {
				l.fail("an escape by number") // or one without meaning
			}
		}
		b.WriteByte(c)
	}
	l.fail("a string is not closed")
}

// identifier reads the rest of "…".
func (l *lexer) identifier() {
	s, doubled := l.until('"')
	if s == "" {
		l.fail("an empty name")
	}
	if doubled {
		s = strings.ReplaceAll(s, `""`, `"`)
	}
	l.name(quoted, s)
}

// until reads up to the closing quote, and tells whether there are doubled ones on
// the way, which it leaves as they are.
func (l *lexer) until(quote byte) (s string, doubled bool) {
	start := l.at
	for {
		i := strings.IndexByte(l.sql[l.at:], quote)
		if i < 0 {
			l.fail("a quote is not closed")
			return "", false
		}
		l.at += i + 1
		if l.byteAt(0) != quote {
			return l.sql[start : l.at-1], doubled
		}
		doubled = true
		l.at++
	}
}

func (l *lexer) string(k tokenKind, s string) {
	if Moving(s) {
		l.note = "a string that may mean the current day or time"
	}
	l.push(k, s)
}

// Moving tells whether a string, read as a date or a time by PostgreSQL, may follow
// the clock: one that holds now, today, tomorrow or yesterday. This goes for
// arguments too.
func Moving(s string) bool {
	for i := 0; i < len(s); i++ {
		n := 0
		for i+n < len(s) && isLetter(s[i+n]) {
			n++
		}
		switch w := s[i : i+n]; n {
		case 3, 5, 8, 9:
			if strings.EqualFold(w, "now") || strings.EqualFold(w, "today") ||
				strings.EqualFold(w, "tomorrow") || strings.EqualFold(w, "yesterday") {
				return true
			}
		}
		i += n
	}
	return false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
