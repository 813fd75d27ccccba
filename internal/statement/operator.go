package statement

import "strings"

func isOperator(c byte) bool { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }

// operator reads the longest run of operator characters, less those at its end that
// PostgreSQL leaves to the next one.
func (l *lexer) operator() {
	n := 1
	for isOperator(l.byteAt(n)) {
		if two := l.sql[l.at+n : min(l.at+n+2, len(l.sql))]; two == "--" || two == "/*" {
			break
		}
		n++
	}
	// Only an operator with one of these may end in + or -.
	if !strings.ContainsAny(l.sql[l.at:l.at+n], "~!@#^&|`?%") {
		for n > 1 && (l.byteAt(n-1) == '+' || l.byteAt(n-1) == '-') {
			n--
		}
	}
	s := l.sql[l.at : l.at+n]
	switch {
	case strings.IndexByte(s, '`') >= 0:
		l.fail("a backquote")
	case s == "?" && isDigit(l.byteAt(1)):
		l.fail("a numbered ?")
	case strings.IndexByte(s, '?') < 0 || builtinOperator(s):
	case strings.IndexByte(s, '?') == n-1 && builtinOperator(s[:n-1]):
		n-- // id=? where ? is a parameter
	default:
		l.fail("an operator with ?")
	}
	l.push(operator, l.take(n))
}

// builtinOperator tells whether PostgreSQL has an operator of this name. Those not
// of type bool, text and the like are stable at worst.
func builtinOperator(s string) bool {
	switch s {
	case "=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "^",
		"||", "|/", "||/", "@", "&", "|", "#", "~", "<<", ">>",
		"~~", "!~~", "~~*", "!~~*", "~*", "!~", "!~*", "^@",
		"~<~", "~<=~", "~>=~", "~>~", "*=", "*<>", "*<", "*>", "*<=", "*>=",
		"@>", "<@", "&&", "-|-", "&<", "&>", "<<=", ">>=",
		"->", "->>", "#>", "#>>", "#-", "?", "?|", "?&", "@?", "@@", "@@@", "!!",
		"<->", "<<|", "|>>", "&<|", "|&>", "<^", ">^", "~=", "##", "@-@",
		"?#", "?-", "?-|", "?||":
		return true
	}
	return false
}
