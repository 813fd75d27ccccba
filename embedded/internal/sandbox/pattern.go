package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// The matcher follows Lua 5.1's lstrlib.c, with two bounds added: every step
// counts against the script's budget, and recursion is limited.

const (
	maxCaptures     = 32
	maxPatternDepth = 10000

	capOpen     = -1
	capPosition = -2
)

type capture struct{ start, len int }

type matcher struct {
	s        *State
	l        *lua.LState
	src, pat string
	depth    int
	level    int
	captures [maxCaptures]capture
}

func (m *matcher) classEnd(p int) int {
	if p >= len(m.pat) {
		m.l.RaiseError("malformed pattern (ends with '%%')")
	}
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			m.l.RaiseError("malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				m.l.RaiseError("malformed pattern (missing ']')")
			}
			esc := m.pat[p] == '%'
			p++
			if esc {
				p++
			}
		}
		return p + 1
	}
	return p
}

func (m *matcher) single(s, p, ep int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return class(c, m.pat[p+1])
	case '[':
		return m.set(c, p, ep-1)
	}
	return m.pat[p] == c
}

// set matches c against the set between p ('[') and end (']').
func (m *matcher) set(c byte, p, end int) bool {
	want := true
	if m.pat[p+1] == '^' {
		want = false
		p++
	}
	for p++; p < end; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if class(c, m.pat[p]) {
				return want
			}
		case p+2 < end && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return want
			}
			p += 2
		case m.pat[p] == c:
			return want
		}
	}
	return !want
}

// match returns the end of the match of pat[p:] at src[s:], or -1.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxPatternDepth {
		m.l.RaiseError("pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.s.budget.stepOrRaise(m.l)
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, capPosition)
			}
			return m.open(s, p+1, capOpen)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if p+1 < len(m.pat) {
				switch next := m.pat[p+1]; {
				case next == 'b':
					if s = m.balance(s, p+2); s < 0 {
						return -1
					}
					p += 4
					continue
				case next == 'f':
					var ok bool
					if p, ok = m.frontier(s, p+2); !ok {
						return -1
					}
					continue
				case next >= '0' && next <= '9':
					if s = m.back(s, next); s < 0 {
						return -1
					}
					p += 2
					continue
				}
			}
		}
		ep := m.classEnd(p)
		next := byte(0)
		if ep < len(m.pat) {
			next = m.pat[ep]
		}
		switch next {
		case '?':
			if m.single(s, p, ep) {
				if r := m.match(s+1, ep+1); r >= 0 {
					return r
				}
			}
			p = ep + 1
		case '*':
			return m.greedy(s, p, ep, 0)
		case '+':
			return m.greedy(s, p, ep, 1)
		case '-':
			return m.lazy(s, p, ep)
		default:
			if !m.single(s, p, ep) {
				return -1
			}
			s, p = s+1, ep
		}
	}
}

func (m *matcher) greedy(s, p, ep, least int) int {
	n := 0
	for m.single(s+n, p, ep) {
		m.s.budget.stepOrRaise(m.l)
		n++
	}
	for ; n >= least; n-- {
		if r := m.match(s+n, ep+1); r >= 0 {
			return r
		}
	}
	return -1
}

func (m *matcher) lazy(s, p, ep int) int {
	for {
		if r := m.match(s, ep+1); r >= 0 {
			return r
		}
		if !m.single(s, p, ep) {
			return -1
		}
		s++
	}
}

func (m *matcher) open(s, p, kind int) int {
	if m.level >= maxCaptures {
		m.l.RaiseError("too many captures")
	}
	m.captures[m.level] = capture{s, kind}
	m.level++
	r := m.match(s, p)
	if r < 0 {
		m.level--
	}
	return r
}

func (m *matcher) close(s, p int) int {
	i := m.level - 1
	for i >= 0 && m.captures[i].len != capOpen {
		i--
	}
	if i < 0 {
		m.l.RaiseError("invalid pattern capture")
	}
	m.captures[i].len = s - m.captures[i].start
	r := m.match(s, p)
	if r < 0 {
		m.captures[i].len = capOpen
	}
	return r
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		m.l.RaiseError("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	open, shut, depth := m.pat[p], m.pat[p+1], 1
	for s++; s < len(m.src); s++ {
		m.s.budget.stepOrRaise(m.l)
		switch m.src[s] {
		case shut:
			if depth--; depth == 0 {
				return s + 1
			}
		case open:
			depth++
		}
	}
	return -1
}

func (m *matcher) frontier(s, p int) (int, bool) {
	if p >= len(m.pat) || m.pat[p] != '[' {
		m.l.RaiseError("missing '[' after '%%f' in pattern")
	}
	ep := m.classEnd(p)
	var before, at byte
	if s > 0 {
		before = m.src[s-1]
	}
	if s < len(m.src) {
		at = m.src[s]
	}
	return ep, !m.set(before, p, ep-1) && m.set(at, p, ep-1)
}

func (m *matcher) back(s int, digit byte) int {
	i := int(digit - '1')
	if i < 0 || i >= m.level || m.captures[i].len == capOpen {
		m.l.RaiseError("invalid capture index")
	}
	c := m.captures[i]
	if c.len > 0 && strings.HasPrefix(m.src[s:], m.src[c.start:c.start+c.len]) {
		return s + c.len
	}
	if c.len == 0 {
		return s
	}
	return -1
}

// value is capture i of a match of src[s:e]; without captures it is the match.
func (m *matcher) value(i, s, e int) lua.LValue {
	if i >= m.level {
		if i != 0 {
			m.l.RaiseError("invalid capture index")
		}
		return lua.LString(m.src[s:e])
	}
	c := m.captures[i]
	switch c.len {
	case capPosition:
		return lua.LNumber(c.start + 1)
	case capOpen:
		m.l.RaiseError("unfinished capture")
	}
	return lua.LString(m.src[c.start : c.start+c.len])
}

// push pushes all captures, or the match if there are none and whole is set.
func (m *matcher) push(s, e int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.l.Push(m.value(i, s, e))
	}
	return n
}

func class(c, cl byte) bool {
	var is bool
	letter := c|0x20 >= 'a' && c|0x20 <= 'z'
	digit := c >= '0' && c <= '9'
	switch cl | 0x20 {
	case 'a':
		is = letter
	case 'c':
		is = c < 0x20 || c == 0x7f
	case 'd':
		is = digit
	case 'l':
		is = c >= 'a' && c <= 'z'
	case 'p':
		is = c > 0x20 && c < 0x7f && !letter && !digit
	case 's':
		is = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		is = c >= 'A' && c <= 'Z'
	case 'w':
		is = letter || digit
	case 'x':
		is = digit || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		is = c == 0
	default:
		return cl == c
	}
	if cl >= 'A' && cl <= 'Z' {
		return !is
	}
	if cl < 'A' {
		return cl == c
	}
	return is
}
