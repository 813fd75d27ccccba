package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openString is the string library. The interpreter's own functions for
// patterns run without a limit of time and of stack, its conversions of case
// assume UTF-8, and its format is Go's.
func (s *State) openString() *lua.LTable {
	t := s.table(map[string]lua.LGFunction{
		"find":    s.luaFind,
		"format":  s.luaFormat,
		"gmatch":  s.luaGmatch,
		"gsub":    s.luaGsub,
		"lower":   s.luaLower,
		"match":   s.luaMatch,
		"rep":     s.luaRep,
		"reverse": s.luaReverse,
		"upper":   s.luaUpper,
	})
	theirs := s.borrow(lua.OpenString)
	for _, name := range []string{"byte", "char", "len", "sub"} {
		t.RawSetString(name, theirs.RawGetString(name))
	}
	return t
}

// luaConcat is the operator "..", whose operands associate to the right.
func (s *State) luaConcat(l *lua.LState) int {
	n := l.GetTop()
	right := l.Get(n)
	for i := n; i > 1; {
		rs, ok := asString(right)
		if !ok {
			i--
			right = s.concatMeta(l, l.Get(i), right)
			continue
		}
		first, size := i, len(rs)
		for first > 1 {
			p, ok := asString(l.Get(first - 1))
			if !ok {
				break
			}
			size += len(p)
			first--
		}
		if first == i {
			i--
			right = s.concatMeta(l, l.Get(i), right)
			continue
		}
		s.budget.chargeString(l, size)
		var b strings.Builder
		b.Grow(size)
		for j := first; j < i; j++ {
			p, _ := asString(l.Get(j))
			b.WriteString(p)
		}
		b.WriteString(rs)
		right, i = lua.LString(b.String()), first
	}
	l.SetTop(0)
	l.Push(right)
	return 1
}

func (s *State) concatMeta(l *lua.LState, a, b lua.LValue) lua.LValue {
	fn := l.GetMetaField(a, "__concat")
	if fn == lua.LNil {
		fn = l.GetMetaField(b, "__concat")
	}
	if fn == lua.LNil {
		bad := a
		if _, ok := asString(a); ok {
			bad = b
		}
		l.RaiseError("attempt to concatenate a %s value", bad.Type())
	}
	l.Push(fn)
	l.Push(a)
	l.Push(b)
	l.Call(2, 1)
	v := l.Get(-1)
	l.Pop(1)
	return v
}

func (s *State) luaRep(l *lua.LState) int {
	str, n := checkString(l, 1), int(truncated(number(l, 2)))
	if n <= 0 || str == "" {
		l.Push(lua.LString(""))
		return 1
	}
	if n > maxString/len(str) {
		n = maxString/len(str) + 1 // the refusal below must not overflow
	}
	s.budget.chargeString(l, n*len(str))
	l.Push(lua.LString(strings.Repeat(str, n)))
	return 1
}

func (s *State) luaLower(l *lua.LState) int {
	return s.mapBytes(l, func(c byte) byte {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	})
}

func (s *State) luaUpper(l *lua.LState) int {
	return s.mapBytes(l, func(c byte) byte {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		return c
	})
}

func (s *State) mapBytes(l *lua.LState, f func(byte) byte) int {
	str := checkString(l, 1)
	s.budget.chargeString(l, len(str))
	b := []byte(str)
	for i, c := range b {
		b[i] = f(c)
	}
	l.Push(lua.LString(b))
	return 1
}

func (s *State) luaReverse(l *lua.LState) int {
	str := checkString(l, 1)
	s.budget.chargeString(l, len(str))
	b := make([]byte, len(str))
	for i := range b {
		b[i] = str[len(str)-1-i]
	}
	l.Push(lua.LString(b))
	return 1
}

// checkString is CheckString with Lua's text of numbers.
func checkString(l *lua.LState, n int) string {
	v := l.Get(n)
	str, ok := asString(v)
	if !ok {
		l.TypeError(n, lua.LTString)
	}
	return str
}
