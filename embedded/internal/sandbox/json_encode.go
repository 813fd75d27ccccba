package sandbox

import (
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// maxJSONDepth is lua-cjson's limit for nesting, in both directions.
const maxJSONDepth = 1000

// openJSON is cjson as Redis configures it: numbers with 14 digits, {} for
// empty tables, sparse arrays refused, null as cjson.null.
func (s *State) openJSON() *lua.LTable {
	t := s.table(map[string]lua.LGFunction{
		"encode": s.luaJSONEncode,
		"decode": s.luaJSONDecode,
	})
	for _, name := range []string{"encode_keep_buffer", "encode_max_depth", "decode_max_depth", "encode_sparse_array", "encode_number_precision", "encode_invalid_numbers", "decode_invalid_numbers"} {
		t.RawSetString(name, s.l.NewFunction(func(l *lua.LState) int {
			l.RaiseError("cjson.%s is not supported by the embedded engine", name)
			return 0
		}))
	}
	t.RawSetString("null", jsonNull)
	t.RawSetString("_VERSION", lua.LString("2.1.0"))
	return t
}

// jsonNull is shared by all states; it has no metatable and no fields.
var jsonNull = &lua.LUserData{Metatable: lua.LNil}

func (s *State) luaJSONEncode(l *lua.LState) int {
	if l.GetTop() != 1 {
		l.RaiseError("bad argument #1 to 'encode' (expected 1 argument)")
	}
	e := jsonEncoder{s: s, l: l}
	e.value(l.Get(1), 0)
	s.budget.chargeString(l, len(e.out))
	l.Push(lua.LString(e.out))
	return 1
}

type jsonEncoder struct {
	s   *State
	l   *lua.LState
	out []byte
}

func (e *jsonEncoder) value(v lua.LValue, depth int) {
	e.s.budget.stepOrRaise(e.l)
	if len(e.out) > maxString {
		e.s.budget.chargeString(e.l, len(e.out))
	}
	switch v := v.(type) {
	case *lua.LNilType:
		e.out = append(e.out, "null"...)
	case lua.LBool:
		e.out = strconv.AppendBool(e.out, bool(v))
	case lua.LNumber:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			e.l.RaiseError("Cannot serialise number: must not be NaN or Inf")
		}
		e.out = append(e.out, numberText(float64(v))...)
	case lua.LString:
		e.string(string(v))
	case *lua.LTable:
		e.table(e.s.readable(v), depth+1)
	default:
		if v == lua.LValue(jsonNull) {
			e.out = append(e.out, "null"...)
			return
		}
		e.l.RaiseError("Cannot serialise %s: type not supported", v.Type())
	}
}

func (e *jsonEncoder) table(t *lua.LTable, depth int) {
	if depth > maxJSONDepth {
		e.l.RaiseError("Cannot serialise, excessive depth (%d)", depth)
	}
	n, ok := e.arrayLen(t)
	if ok {
		e.out = append(e.out, '[')
		for i := 1; i <= n; i++ {
			if i > 1 {
				e.out = append(e.out, ',')
			}
			e.value(t.RawGetInt(i), depth)
		}
		e.out = append(e.out, ']')
		return
	}
	e.out = append(e.out, '{')
	first := true
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		switch k := k.(type) {
		case lua.LString:
			e.string(string(k))
		case lua.LNumber:
			e.string(numberText(float64(k)))
		default:
			e.l.RaiseError("Cannot serialise %s: table key must be a number or string", k.Type())
		}
		e.out = append(e.out, ':')
		e.value(v, depth)
	}
	e.out = append(e.out, '}')
}

// arrayLen tells whether all keys are positive integers, and the greatest.
func (e *jsonEncoder) arrayLen(t *lua.LTable) (int, bool) {
	highest, count := 0, 0
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		n, ok := k.(lua.LNumber)
		if !ok || n < 1 || n != lua.LNumber(int(n)) {
			return 0, false
		}
		highest = max(highest, int(n))
		count++
	}
	if count == 0 {
		return 0, false
	}
	// lua-cjson's defaults: ratio 2, safe up to 10.
	if highest > 10 && highest > count*2 {
		e.l.RaiseError("Cannot serialise table: excessively sparse array")
	}
	return highest, true
}

func (e *jsonEncoder) string(s string) {
	const hex = "0123456789abcdef"
	e.out = append(e.out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '/':
			e.out = append(e.out, '\\', c)
		case '\b':
			e.out = append(e.out, '\\', 'b')
		case '\f':
			e.out = append(e.out, '\\', 'f')
		case '\n':
			e.out = append(e.out, '\\', 'n')
		case '\r':
			e.out = append(e.out, '\\', 'r')
		case '\t':
			e.out = append(e.out, '\\', 't')
		default:
			if c < 0x20 || c == 0x7f {
				e.out = append(e.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				e.out = append(e.out, c)
			}
		}
	}
	e.out = append(e.out, '"')
}
