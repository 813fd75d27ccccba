package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (s *State) luaFind(l *lua.LState) int  { return s.search(l, true) }
func (s *State) luaMatch(l *lua.LState) int { return s.search(l, false) }

func (s *State) search(l *lua.LState, find bool) int {
	src, pat := checkString(l, 1), checkString(l, 2)
	init := l.OptInt(3, 1)
	if init < 0 {
		init = max(len(src)+init+1, 1)
	}
	init = min(max(init-1, 0), len(src))
	if find && (lua.LVAsBool(l.Get(4)) || !strings.ContainsAny(pat, "^$*+?.([%-")) {
		i := strings.Index(src[init:], pat)
		if i < 0 {
			l.Push(lua.LNil)
			return 1
		}
		l.Push(lua.LNumber(init + i + 1))
		l.Push(lua.LNumber(init + i + len(pat)))
		return 2
	}
	m := matcher{s: s, l: l, src: src, pat: pat}
	p, anchored := anchor(pat)
	for at := init; at <= len(src); at++ {
		m.level = 0
		if e := m.match(at, p); e >= 0 {
			if !find {
				return m.push(at, e, true)
			}
			l.Push(lua.LNumber(at + 1))
			l.Push(lua.LNumber(e))
			return 2 + m.push(at, e, false)
		}
		if anchored {
			break
		}
	}
	l.Push(lua.LNil)
	return 1
}

func anchor(pat string) (from int, anchored bool) {
	if strings.HasPrefix(pat, "^") {
		return 1, true
	}
	return 0, false
}

func (s *State) luaGmatch(l *lua.LState) int {
	src, pat := checkString(l, 1), checkString(l, 2)
	at := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		m := matcher{s: s, l: l, src: src, pat: pat}
		for ; at <= len(src); at++ {
			m.level = 0
			e := m.match(at, 0)
			if e < 0 {
				continue
			}
			from := at
			at = e
			if e == from {
				at++
			}
			return m.push(from, e, true)
		}
		return 0
	}))
	return 1
}

func (s *State) luaGsub(l *lua.LState) int {
	src, pat := checkString(l, 1), checkString(l, 2)
	repl := l.Get(3)
	switch repl.(type) {
	case lua.LString, lua.LNumber, *lua.LTable, *lua.LFunction:
	default:
		l.ArgError(3, "string/function/table expected")
	}
	most := l.OptInt(4, len(src)+1)
	p, anchored := anchor(pat)
	m := matcher{s: s, l: l, src: src, pat: pat}
	var b strings.Builder
	at, n := 0, 0
	for n < most {
		m.level = 0
		e := m.match(at, p)
		if e >= 0 {
			n++
			out := s.replacement(&m, repl, at, e)
			s.grow(l, &b, len(out))
			b.WriteString(out)
		}
		switch {
		case e > at:
			at = e
		case at < len(src):
			s.grow(l, &b, 1)
			b.WriteByte(src[at])
			at++
		default:
			at++
		}
		if anchored || at > len(src) {
			break
		}
	}
	if at < len(src) {
		s.grow(l, &b, len(src)-at)
		b.WriteString(src[at:])
	}
	l.Push(lua.LString(b.String()))
	l.Push(lua.LNumber(n))
	return 2
}

func (s *State) replacement(m *matcher, repl lua.LValue, from, to int) string {
	var v lua.LValue
	switch r := repl.(type) {
	case *lua.LTable:
		v = m.l.GetTable(r, m.value(0, from, to))
	case *lua.LFunction:
		m.l.Push(r)
		n := m.push(from, to, true)
		m.l.Call(n, 1)
		v = m.l.Get(-1)
		m.l.Pop(1)
	default:
		return s.expand(m, text(repl), from, to)
	}
	if !lua.LVAsBool(v) {
		return m.src[from:to]
	}
	out, ok := asString(v)
	if !ok {
		m.l.RaiseError("invalid replacement value (a %s)", v.Type())
	}
	return out
}

// expand replaces %0 to %9 in a replacement string.
func (s *State) expand(m *matcher, repl string, from, to int) string {
	if !strings.Contains(repl, "%") {
		return repl
	}
	var b strings.Builder
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		if c != '%' || i+1 == len(repl) {
			b.WriteByte(c)
			continue
		}
		i++
		switch d := repl[i]; {
		case d == '0':
			s.grow(m.l, &b, to-from)
			b.WriteString(m.src[from:to])
		case d >= '1' && d <= '9':
			v := text(m.value(int(d-'1'), from, to))
			s.grow(m.l, &b, len(v))
			b.WriteString(v)
		default:
			b.WriteByte(d)
		}
	}
	return b.String()
}
