package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openTable is the table library: the interpreter's, behind checks that the
// table may be written and that it does not grow out of proportion.
func (s *State) openTable() *lua.LTable {
	theirs := s.borrow(lua.OpenTable)
	t := s.table(map[string]lua.LGFunction{
		"concat":  s.luaTableConcat,
		"foreach": s.luaForEach,
		"insert":  s.luaInsert,
		"remove":  s.writes(theirs.RawGetString("remove")),
		"sort":    s.writes(theirs.RawGetString("sort")),
	})
	for _, name := range []string{"getn", "maxn"} {
		t.RawSetString(name, theirs.RawGetString(name))
	}
	return t
}

// writes calls fn if its first argument is a table that scripts may write to.
func (s *State) writes(fn lua.LValue) lua.LGFunction {
	return func(l *lua.LState) int {
		t := l.CheckTable(1)
		s.checkWritable(l, t)
		n := l.GetTop()
		if fn, ok := fn.(*lua.LFunction); ok && fn.GFunction != nil {
			// Removing by position moves what follows.
			s.budget.charge(l, t.Len())
			return fn.GFunction(l)
		}
		return n
	}
}

func (s *State) luaInsert(l *lua.LState) int {
	t := l.CheckTable(1)
	s.checkWritable(l, t)
	switch l.GetTop() {
	case 2:
		t.Append(l.Get(2))
	case 3:
		pos := l.CheckInt(2)
		s.checkIndex(l, lua.LNumber(pos))
		s.budget.charge(l, t.Len())
		t.Insert(pos, l.Get(3))
	default:
		l.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

func (s *State) luaTableConcat(l *lua.LState) int {
	t := l.CheckTable(1)
	sep := ""
	if l.Get(2) != lua.LNil {
		sep = checkString(l, 2)
	}
	from, to := l.OptInt(3, 1), l.OptInt(4, t.Len())
	var b strings.Builder
	for i := from; i <= to; i++ {
		s.budget.stepOrRaise(l)
		v := t.RawGetInt(i)
		part, ok := asString(v)
		if !ok {
			l.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type(), i)
		}
		s.grow(l, &b, len(part)+len(sep))
		b.WriteString(part)
		if i != to {
			b.WriteString(sep)
		}
	}
	l.Push(lua.LString(b.String()))
	return 1
}

func (s *State) luaForEach(l *lua.LState) int {
	t, fn := s.readable(l.CheckTable(1)), l.CheckFunction(2)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		s.budget.stepOrRaise(l)
		if hidden(k) {
			continue
		}
		l.Push(fn)
		l.Push(k)
		l.Push(v)
		l.Call(2, 1)
		result := l.Get(-1)
		l.Pop(1)
		if result != lua.LNil {
			l.Push(result)
			return 1
		}
	}
	return 0
}
