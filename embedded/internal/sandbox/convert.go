package sandbox

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/larder-go/larder/conn"
)

const (
	maxReplyDepth = 128
	maxReplyElems = 1 << 22
)

// toLua converts a reply to what redis.call returns.
func (s *State) toLua(v conn.Value) lua.LValue {
	switch v.Kind {
	case conn.Nil:
		if s.resp3 {
			return lua.LNil
		}
		return lua.LFalse
	case conn.Bulk:
		return lua.LString(v.Str)
	case conn.Status:
		return s.single("ok", lua.LString(v.Str))
	case conn.Failure:
		return s.errorTable(v.Str)
	case conn.Int:
		return lua.LNumber(v.Int)
	case conn.Bool:
		return lua.LBool(v.Int != 0)
	case conn.Float:
		n, _ := parseFloat(v.Str)
		return s.single("double", lua.LNumber(n))
	case conn.BigNum:
		return s.single("big_number", lua.LString(v.Str))
	case conn.Verbatim:
		if !s.resp3 {
			return lua.LString(v.Str)
		}
		inner := &lua.LTable{Metatable: lua.LNil}
		inner.RawSetString("format", lua.LString("txt"))
		inner.RawSetString("string", lua.LString(v.Str))
		return s.single("verbatim_string", inner)
	case conn.Map:
		inner := &lua.LTable{Metatable: lua.LNil}
		for i := 0; i+1 < len(v.Elems); i += 2 {
			inner.RawSet(s.toLua(v.Elems[i]), s.toLua(v.Elems[i+1]))
		}
		return s.single("map", inner)
	case conn.Set:
		inner := &lua.LTable{Metatable: lua.LNil}
		for _, e := range v.Elems {
			inner.RawSet(s.toLua(e), lua.LTrue)
		}
		return s.single("set", inner)
	}
	t := s.l.CreateTable(len(v.Elems), 0)
	for i, e := range v.Elems {
		t.RawSetInt(i+1, s.toLua(e))
	}
	return t
}

func parseFloat(text string) (float64, bool) {
	var n float64
	_, err := fmt.Sscan(text, &n)
	return n, err == nil
}

func weight(v conn.Value) int {
	n := 32 + len(v.Str)
	for _, e := range v.Elems {
		n += weight(e)
	}
	return n
}

// single is a table with one field. Tables are made with the capacity that they
// need: the interpreter's default is 32 fields.
func (s *State) single(name string, v lua.LValue) *lua.LTable {
	t := s.l.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// errorTable is an error as scripts see it.
func (s *State) errorTable(text string) *lua.LTable {
	t := s.single("err", lua.LString(text))
	if line := s.line(); line != "" {
		t.RawSetString("line", lua.LString(line))
		t.RawSetString("source", lua.LString("@"+chunkName))
	}
	return t
}

// line is the line of the script that is being executed.
func (s *State) line() string {
	_, line, _ := strings.Cut(strings.TrimSuffix(s.l.Where(1), ":"), ":")
	return line
}

// where is what Redis appends to the errors of scripts.
func (s *State) where(line any) string {
	at := ""
	if line != 0 && line != "" {
		at = fmt.Sprintf(":%v", line)
	}
	return fmt.Sprintf(" script: %s, on @%s%s.", s.prog.Digest(), chunkName, at)
}

// failed converts what a script has raised.
func (s *State) failed(err error) conn.Value {
	var api *lua.ApiError
	if !errors.As(err, &api) {
		return failure("ERR " + firstLine(err.Error()) + s.where(0))
	}
	if t, ok := api.Object.(*lua.LTable); ok {
		if msg, ok := t.RawGetString("err").(lua.LString); ok {
			return failure(oneLine(string(msg)) + s.where(text(t.RawGetString("line"))))
		}
	}
	msg := api.Error()
	if api.Object != nil && api.Object != lua.LNil {
		msg = text(api.Object)
	}
	msg = firstLine(msg)
	line := ""
	if rest, ok := strings.CutPrefix(msg, chunkName+":"); ok {
		line, _, _ = strings.Cut(rest, ":")
	}
	return failure("ERR " + msg + s.where(line))
}

// reply converts a script's result.
func (s *State) reply(v lua.LValue) conn.Value {
	elems := 0
	out, err := s.convert(v, 0, &elems)
	if err != nil {
		return failure(err.Error())
	}
	return out
}

var (
	errReplyDepth = errors.New("ERR reached lua stack limit")
	errReplySize  = fmt.Errorf("ERR the script's reply has more than %d elements", maxReplyElems)
)

func (s *State) convert(v lua.LValue, depth int, elems *int) (conn.Value, error) {
	if depth > maxReplyDepth {
		return conn.Value{}, errReplyDepth
	}
	if *elems++; *elems > maxReplyElems {
		return conn.Value{}, errReplySize
	}
	switch v := v.(type) {
	case lua.LBool:
		switch {
		case s.resp3:
			return conn.Value{Kind: conn.Bool, Int: map[bool]int64{true: 1}[bool(v)]}, nil
		case bool(v):
			return conn.Value{Kind: conn.Int, Int: 1}, nil
		}
		return conn.Value{}, nil
	case lua.LNumber:
		return conn.Value{Kind: conn.Int, Int: truncated(float64(v))}, nil
	case lua.LString:
		return conn.Value{Kind: conn.Bulk, Str: string(v)}, nil
	case *lua.LTable:
		return s.convertTable(s.readable(v), depth, elems)
	}
	return conn.Value{}, nil
}

func (s *State) convertTable(t *lua.LTable, depth int, elems *int) (conn.Value, error) {
	if e, ok := t.RawGetString("err").(lua.LString); ok {
		return failure(oneLine(string(e))), nil
	}
	if o, ok := t.RawGetString("ok").(lua.LString); ok {
		return conn.Value{Kind: conn.Status, Str: oneLine(string(o))}, nil
	}
	if d, ok := t.RawGetString("double").(lua.LNumber); ok {
		return conn.Value{Kind: conn.Float, Str: cFormat(float64(d), 17)}, nil
	}
	if b, ok := t.RawGetString("big_number").(lua.LString); ok {
		return conn.Value{Kind: conn.BigNum, Str: oneLine(string(b))}, nil
	}
	if m, ok := t.RawGetString("map").(*lua.LTable); ok {
		return s.convertPairs(conn.Map, m, depth, elems)
	}
	if m, ok := t.RawGetString("set").(*lua.LTable); ok {
		return s.convertPairs(conn.Set, m, depth, elems)
	}
	if vs, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok {
		if str, ok := vs.RawGetString("string").(lua.LString); ok {
			return conn.Value{Kind: conn.Verbatim, Str: string(str)}, nil
		}
	}
	out := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, 0, t.Len())}
	for i := 1; ; i++ {
		e := t.RawGetInt(i)
		if e == lua.LNil {
			return out, nil
		}
		v, err := s.convert(e, depth+1, elems)
		if err != nil {
			return v, err
		}
		out.Elems = append(out.Elems, v)
	}
}

func (s *State) convertPairs(kind conn.Kind, t *lua.LTable, depth int, elems *int) (conn.Value, error) {
	out := conn.Value{Kind: kind}
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		ck, err := s.convert(k, depth+1, elems)
		if err != nil {
			return ck, err
		}
		out.Elems = append(out.Elems, ck)
		if kind == conn.Set {
			continue
		}
		cv, err := s.convert(v, depth+1, elems)
		if err != nil {
			return cv, err
		}
		out.Elems = append(out.Elems, cv)
	}
	return out, nil
}

// oneLine is what a status or error line can carry.
func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
