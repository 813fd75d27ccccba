package statement

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end tokenKind = iota
	word
	punctuation
	operator
	quoted  // an identifier in double quotes; text is what they hold
	text    // a string; text is its value
	opaque  // a string whose value is not known here, or no plain text: B'', X'', N''
	number  // as written
	dollar  // $n
	unnamed // ?
)

type token struct {
	kind tokenKind
	// n is the number of a parameter; of an opening bracket, the index of its closing one.
	n    int32
	text string // of a word, in lower case
}

// is tells whether t is this keyword, punctuation or operator.
func (t token) is(s string) bool { return t.kind <= operator && t.text == s }

func (t token) isString() bool { return t.kind == text || t.kind == opaque }

// lexer splits a text by the rules of PostgreSQL's scan.l. What other databases, or
// other settings, would split in another way is refused.
type lexer struct {
	sql    string
	at     int
	tokens []token
	open   []int32 // the brackets that are not closed yet
	ended  bool    // by a semicolon
	params int
	note   string // why the result must not be cached
	why    string // why the text was not understood
	hint   Hint
}

// lex returns a lexer that is done. Its last token is end.
func lex(sql string) lexer {
	l := lexer{sql: sql, tokens: make([]token, 0, len(sql)/5+8)}
	switch {
	case !utf8.ValidString(sql):
		l.fail("the text is not UTF-8")
	case strings.IndexByte(sql, 0) >= 0:
		l.fail("a NUL byte")
	}
	for l.at < len(sql) && l.why == "" {
		l.next()
	}
	if len(l.open) > 0 {
		l.fail("a bracket is not closed")
	}
	l.tokens = append(l.tokens, token{})
	return l
}

func (l *lexer) fail(why string) {
	if l.why == "" {
		l.why = why
	}
}

func (l *lexer) push(k tokenKind, s string) {
	t := token{kind: k, text: s}
	if n := len(l.tokens); n > 0 && t.isString() && l.tokens[n-1].isString() {
		l.fail("strings side by side")
	}
	if l.ended {
		l.fail("several statements")
	}
	l.tokens = append(l.tokens, t)
}

// byteAt returns the byte i places on, or 0.
func (l *lexer) byteAt(i int) byte {
	if l.at+i < len(l.sql) {
		return l.sql[l.at+i]
	}
	return 0
}

// take moves on by n bytes and returns them.
func (l *lexer) take(n int) string {
	s := l.sql[l.at : l.at+n]
	l.at += n
	return s
}

func (l *lexer) next() {
	c, c1 := l.byteAt(0), l.byteAt(1)
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		l.at++
	case startsWord(c):
		l.word(c, c1)
	case isDigit(c) || c == '.' && isDigit(c1):
		l.number()
	case c == '\'':
		l.at++
		l.plain()
	case c == '"':
		l.at++
		l.identifier()
	case c == '$':
		l.dollar(c1)
	case c == '-' && c1 == '-':
		l.line()
	case c == '/' && c1 == '*':
		l.block()
	case c == ';':
		l.at++
		l.ended = true
	case c == '(' || c == '[':
		l.open = append(l.open, int32(len(l.tokens)))
		l.push(punctuation, l.take(1))
		if len(l.open) > maxDepth {
			l.fail("too deep")
		}
	case c == ')' || c == ']':
		l.close(c)
	case c == ':' && (c1 == ':' || c1 == '='):
		l.push(punctuation, l.take(2))
	case c == ',' || c == '.' || c == ':':
		l.push(punctuation, l.take(1))
	case isOperator(c):
		l.operator()
	default:
		l.fail("a character without meaning")
	}
}

func (l *lexer) close(c byte) {
	n := len(l.open) - 1
	if n < 0 || (l.tokens[l.open[n]].text == "(") != (c == ')') {
		l.fail("a bracket was not opened")
		return
	}
	l.tokens[l.open[n]].n = int32(len(l.tokens))
	l.open = l.open[:n]
	l.push(punctuation, l.take(1))
}

// word reads a keyword, a name, or the letter before a string.
func (l *lexer) word(c, c1 byte) {
	if c1 == '\'' {
		switch c {
		case 'e', 'E':
			l.at += 2
			l.escaped()
			return
		case 'b', 'B', 'x', 'X', 'n', 'N':
			l.at += 2
			l.plain()
			if l.why == "" {
				l.tokens[len(l.tokens)-1].kind = opaque
			}
			return
		}
	}
	if (c == 'u' || c == 'U') && c1 == '&' && (l.byteAt(2) == '\'' || l.byteAt(2) == '"') {
		l.fail("U& quoting")
		return
	}
	n, upper, wide := 1, c >= 'A' && c <= 'Z', c >= utf8.RuneSelf
	for ; inWord(l.byteAt(n)); n++ {
		c := l.byteAt(n)
		upper = upper || c >= 'A' && c <= 'Z'
		wide = wide || c >= utf8.RuneSelf
	}
	s := l.take(n)
	if upper || wide {
		folded := lower(s)
		if wide && strings.ToLower(s) != folded {
			l.fail("a name whose case depends on the encoding") // single-byte ones fold É
		}
		s = folded
	}
	l.name(word, s)
}

func (l *lexer) name(k tokenKind, s string) {
	if len(s) > 63 {
		l.fail("a name of more than 63 bytes") // PostgreSQL cuts it
	}
	l.push(k, s)
}

func (l *lexer) number() {
	n := 0
	digits := func() {
		for isDigit(l.byteAt(n)) {
			n++
		}
	}
	digits()
	if l.byteAt(n) == '.' {
		n++
		digits()
	}
	if e := l.byteAt(n); e == 'e' || e == 'E' {
		n++
		if s := l.byteAt(n); s == '+' || s == '-' {
			n++
		}
		if !isDigit(l.byteAt(n)) {
			l.fail("a number")
		}
		digits()
	}
	// What comes here is an error, or belongs to the number only in some versions: 1_000, 0xff.
	if c := l.byteAt(n); inWord(c) || c == '.' {
		l.fail("a number")
	}
	l.push(number, l.take(n))
}

// dollar reads $n, or a string between $tag$ and $tag$.
func (l *lexer) dollar(c1 byte) {
	n := 1
	for inWord(l.byteAt(n)) && l.byteAt(n) != '$' {
		n++
	}
	if isDigit(c1) {
		i, err := strconv.ParseUint(l.sql[l.at+1:l.at+n], 10, 16)
		if err != nil || i == 0 || l.byteAt(n) == '$' {
			l.fail("a parameter")
		}
		l.push(dollar, l.take(n))
		l.tokens[len(l.tokens)-1].n = int32(i)
		l.params = max(l.params, int(i))
		return
	}
	if l.byteAt(n) != '$' {
		l.fail("a parameter")
		return
	}
	tag := l.take(n + 1)
	body, _, ok := strings.Cut(l.sql[l.at:], tag)
	if !ok {
		l.fail("a string is not closed")
		return
	}
	l.at += len(body) + len(tag)
	l.string(text, body)
}

func startsWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func inWord(c byte) bool { return startsWord(c) || isDigit(c) || c == '$' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// lower folds as PostgreSQL does: ASCII only.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
