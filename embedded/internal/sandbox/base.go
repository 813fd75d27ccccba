package sandbox

import (
	"errors"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// openBase fills globals with the base functions that Redis gives to scripts.
// Those of the interpreter are used where they cannot reach shared tables.
func (s *State) openBase() {
	theirs := s.borrow(lua.OpenBase)
	for _, name := range []string{"error", "xpcall", "select", "type", "rawequal", "ipairs"} {
		s.globals.RawSetString(name, theirs.RawGetString(name))
	}
	for name, fn := range map[string]lua.LGFunction{
		concatName:       s.luaConcat,
		indexName:        s.luaIndex,
		"assert":         luaAssert,
		"collectgarbage": luaCollectGarbage,
		"getmetatable":   luaGetMetatable,
		"loadstring":     s.luaLoadString,
		"load":           s.luaLoad,
		"next":           s.luaNext,
		"pairs":          s.luaPairs,
		"pcall":          luaPCall,
		"rawget":         s.luaRawGet,
		"rawset":         s.luaRawSet,
		"setmetatable":   s.luaSetMetatable,
		"tonumber":       luaToNumber,
		"tostring":       luaToString,
		"unpack":         luaUnpack,
	} {
		s.globals.RawSetString(name, s.l.NewFunction(fn))
	}
	s.globals.RawSetString("_VERSION", lua.LString(lua.LuaVersion))
}

// borrow opens one of the interpreter's libraries, takes what it has put into
// the interpreter's globals and empties these again.
func (s *State) borrow(open lua.LGFunction) *lua.LTable {
	s.l.Push(s.l.NewFunction(open))
	s.l.Call(0, 1)
	lib, _ := s.l.Get(-1).(*lua.LTable)
	s.l.Pop(1)
	taken := s.l.NewTable()
	lib.ForEach(taken.RawSet)
	var names []lua.LValue
	host := s.l.G.Global
	host.ForEach(func(k, _ lua.LValue) { names = append(names, k) })
	for _, k := range names {
		host.RawSet(k, lua.LNil)
	}
	return taken
}

func luaAssert(l *lua.LState) int {
	if lua.LVAsBool(l.CheckAny(1)) {
		return l.GetTop()
	}
	if l.GetTop() < 2 {
		l.Error(lua.LString("assertion failed!"), 0)
	}
	l.Error(l.Get(2), 0)
	return 0
}

// luaPCall returns the text of an error of redis.call, as Redis 7.0 does, and
// not the table that xpcall's handler is given.
func luaPCall(l *lua.LState) int {
	l.CheckAny(1)
	err := l.PCall(l.GetTop()-1, lua.MultRet, nil)
	if err == nil {
		l.Insert(lua.LTrue, 1)
		return l.GetTop()
	}
	object := lua.LValue(lua.LString(err.Error()))
	var api *lua.ApiError
	if errors.As(err, &api) && api.Object != nil {
		object = api.Object
	}
	if t, ok := object.(*lua.LTable); ok {
		if msg, ok := t.RawGetString("err").(lua.LString); ok {
			object = msg
		}
	}
	l.Push(lua.LFalse)
	l.Push(object)
	return 2
}

func luaCollectGarbage(l *lua.LState) int {
	l.Push(lua.LNumber(0))
	return 1
}

func luaGetMetatable(l *lua.LState) int {
	l.Push(l.GetMetatable(l.CheckAny(1)))
	return 1
}

// luaSetMetatable accepts tables only: metatables of other types are shared by
// all values of the type, and so by all scripts.
func (s *State) luaSetMetatable(l *lua.LState) int {
	t := l.CheckTable(1)
	l.CheckTypes(2, lua.LTNil, lua.LTTable)
	s.checkWritable(l, t)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		l.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = l.Get(2)
	l.SetTop(1)
	return 1
}

func (s *State) luaRawGet(l *lua.LState) int {
	t, k := l.CheckTable(1), l.CheckAny(2)
	v := t.RawGet(k)
	if v == lua.LNil {
		v = s.readable(t).RawGet(k)
	}
	l.Push(v)
	return 1
}

func (s *State) luaRawSet(l *lua.LState) int {
	t, k, v := l.CheckTable(1), l.CheckAny(2), l.CheckAny(3)
	s.checkWritable(l, t)
	s.checkIndex(l, k)
	l.RawSet(t, k, v)
	l.SetTop(1)
	return 1
}

func (s *State) luaNext(l *lua.LState) int {
	k, v := s.readable(l.CheckTable(1)).Next(l.Get(2))
	for hidden(k) {
		k, v = s.readable(l.CheckTable(1)).Next(k)
	}
	if k == lua.LNil {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(k)
	l.Push(v)
	return 2
}

func (s *State) luaPairs(l *lua.LState) int {
	t := l.CheckTable(1)
	l.Push(s.globals.RawGetString("next"))
	l.Push(t)
	l.Push(lua.LNil)
	return 3
}

// hidden tells our own globals, which no script can name.
func hidden(k lua.LValue) bool {
	name, ok := k.(lua.LString)
	return ok && len(name) > 0 && name[0] == 0
}

func (s *State) luaLoadString(l *lua.LState) int {
	return s.load(l, l.CheckString(1), l.OptString(2, chunkName))
}

func (s *State) luaLoad(l *lua.LState) int {
	fn, name := l.CheckFunction(1), l.OptString(2, "=(load)")
	var b strings.Builder
	for {
		l.Push(fn)
		l.Call(0, 1)
		part := l.Get(-1)
		l.Pop(1)
		piece, ok := part.(lua.LString)
		if !ok || piece == "" || b.Len() > maxScript {
			return s.load(l, b.String(), name)
		}
		b.WriteString(string(piece))
	}
}

// load compiles text; there is no binary form of chunks.
func (s *State) load(l *lua.LState, text, name string) int {
	s.budget.charge(l, 100*len(text))
	proto, err := compile(text, name)
	if err != nil {
		l.Push(lua.LNil)
		l.Push(lua.LString(err.Error()))
		return 2
	}
	fn := l.NewFunctionFromProto(proto)
	fn.Env = s.env
	l.Push(fn)
	return 1
}

// luaToNumber follows C's strtod and strtol, not Go's literals.
func luaToNumber(l *lua.LState) int {
	base := l.OptInt(2, 10)
	if base < 2 || base > 36 {
		l.ArgError(2, "base out of range")
	}
	result := lua.LValue(lua.LNil)
	switch v := l.CheckAny(1).(type) {
	case lua.LNumber:
		result = v
	case lua.LString:
		if n, ok := parseNumber(strings.Trim(string(v), " \t\n\v\f\r"), base); ok {
			result = lua.LNumber(n)
		}
	}
	l.Push(result)
	return 1
}

func parseNumber(text string, base int) (float64, bool) {
	if text == "" || strings.Contains(text, "_") {
		return 0, false
	}
	body := strings.ToLower(strings.TrimLeft(text, "+-"))
	hex := strings.HasPrefix(body, "0x")
	if base != 10 || hex {
		if hex && (base == 10 || base == 16) {
			base = 16
			text = strings.Replace(strings.Replace(text, "0x", "", 1), "0X", "", 1)
		}
		n, err := strconv.ParseInt(text, base, 64)
		if err != nil {
			u, err := strconv.ParseUint(text, base, 64)
			return float64(u), err == nil
		}
		return float64(n), true
	}
	if c := body[:min(1, len(body))]; c != "." && (c < "0" || c > "9") {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

func luaToString(l *lua.LState) int {
	v := l.CheckAny(1)
	if n, ok := v.(lua.LNumber); ok {
		l.Push(lua.LString(numberText(float64(n))))
		return 1
	}
	l.Push(l.ToStringMeta(v))
	return 1
}

func luaUnpack(l *lua.LState) int {
	t := l.CheckTable(1)
	from, to := l.OptInt(2, 1), l.OptInt(3, t.Len())
	if from > to {
		return 0
	}
	const most = 8000 // LUAI_MAXCSTACK
	if n := to - from + 1; n <= 0 || n > most {
		l.RaiseError("too many results to unpack")
	}
	for i := from; i <= to; i++ {
		l.Push(t.RawGet(lua.LNumber(i)))
	}
	return to - from + 1
}

// text is a value as it appears in messages.
func text(v lua.LValue) string {
	if s, ok := asString(v); ok {
		return s
	}
	return v.Type().String()
}

// asString converts what Lua converts implicitly: strings and numbers.
func asString(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return numberText(float64(v)), true
	}
	return "", false
}
