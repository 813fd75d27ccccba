package sandbox

import (
	lua "github.com/yuin/gopher-lua"
)

// open makes the interpreter and everything that survives a run.
//
// Scripts never hold a table that outlives them. What they see as "string" is
// an empty table whose metatable reads from the real one and refuses writes;
// rawset, next and their kind are our own and know these shadows.
func (s *State) open() {
	s.l = lua.NewState(lua.Options{
		SkipOpenLibs:     true,
		CallStackSize:    callDepth,
		RegistrySize:     1 << 10,
		RegistryMaxSize:  maxRegistry,
		RegistryGrowStep: 1 << 10,
	})
	s.l.SetContext(s.budget)
	s.shadows = map[*lua.LTable]*lua.LTable{}
	s.globals = s.l.NewTable()

	s.openBase()
	str := s.openString()
	s.library("string", str)
	s.library("table", s.openTable())
	s.library("math", s.openMath())
	s.library("bit", s.openBit())
	s.library("cjson", s.openJSON())
	s.library("os", s.table(map[string]lua.LGFunction{"clock": luaClock}))
	redis := s.shadow(s.openRedis())
	s.globals.RawSetString("redis", redis)
	s.globals.RawSetString("server", redis)

	stringMeta := s.l.NewTable()
	stringMeta.RawSetString("__index", str)
	stringMeta.RawSetString("__metatable", lua.LFalse)
	s.l.SetMetatable(lua.LString(""), stringMeta)

	missing := s.l.NewTable()
	missing.RawSetString("__index", s.l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("Script attempted to access nonexistent global variable '%s'", text(l.Get(2)))
		return 0
	}))
	s.globals.Metatable = missing
	s.envMeta = s.l.NewTable()
	s.envMeta.RawSetString("__index", s.globals)
	s.envMeta.RawSetString("__newindex", s.l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("Attempt to modify a readonly table: global variable '%s'", text(l.Get(2)))
		return 0
	}))
	s.envMeta.RawSetString("__metatable", lua.LFalse)
}

// newEnv makes the globals of one run.
func (s *State) newEnv(keys, args []string) {
	s.env = s.l.CreateTable(0, 3)
	s.env.Metatable = s.envMeta
	s.env.RawSetString("KEYS", s.strings(keys))
	s.env.RawSetString("ARGV", s.strings(args))
	s.env.RawSetString("_G", s.env)
}

func (s *State) strings(list []string) *lua.LTable {
	t := s.l.CreateTable(len(list), 0)
	for _, e := range list {
		t.Append(lua.LString(e))
	}
	return t
}

func (s *State) table(fns map[string]lua.LGFunction) *lua.LTable {
	t := s.l.CreateTable(0, len(fns))
	for name, fn := range fns {
		t.RawSetString(name, s.l.NewFunction(fn))
	}
	return t
}

func (s *State) library(name string, t *lua.LTable) { s.globals.RawSetString(name, s.shadow(t)) }

// shadow returns the read-only face of t.
func (s *State) shadow(t *lua.LTable) *lua.LTable {
	meta := s.l.NewTable()
	meta.RawSetString("__index", t)
	meta.RawSetString("__newindex", s.l.NewFunction(func(l *lua.LState) int {
		raiseReadOnly(l)
		return 0
	}))
	meta.RawSetString("__metatable", lua.LFalse)
	face := &lua.LTable{Metatable: meta}
	s.shadows[face] = t
	return face
}

// readable is the table that raw reads of t mean.
func (s *State) readable(t *lua.LTable) *lua.LTable {
	if t == s.env {
		return s.globals
	}
	if real, ok := s.shadows[t]; ok {
		return real
	}
	return t
}

// checkWritable raises an error for tables that only look like tables.
func (s *State) checkWritable(l *lua.LState, t *lua.LTable) {
	if _, ok := s.shadows[t]; ok || t == s.env {
		raiseReadOnly(l)
	}
}

func raiseReadOnly(l *lua.LState) { l.RaiseError("Attempt to modify a readonly table") }
