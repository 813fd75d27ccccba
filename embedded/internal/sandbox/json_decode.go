package sandbox

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

func (s *State) luaJSONDecode(l *lua.LState) int {
	if l.GetTop() != 1 {
		l.RaiseError("bad argument #1 to 'decode' (expected 1 argument)")
	}
	d := jsonDecoder{s: s, l: l, in: checkString(l, 1)}
	s.budget.charge(l, len(d.in))
	v := d.value(0)
	d.space()
	if d.at != len(d.in) {
		d.fail("the end")
	}
	l.Push(v)
	return 1
}

type jsonDecoder struct {
	s  *State
	l  *lua.LState
	in string
	at int
}

func (d *jsonDecoder) fail(want string) {
	found := "T_END"
	if d.at < len(d.in) {
		found = "invalid token"
	}
	d.l.RaiseError("Expected %s but found %s at character %d", want, found, d.at+1)
}

func (d *jsonDecoder) space() {
	for d.at < len(d.in) && strings.IndexByte(" \t\r\n", d.in[d.at]) >= 0 {
		d.at++
	}
}

func (d *jsonDecoder) take(c byte) bool {
	d.space()
	if d.at < len(d.in) && d.in[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *jsonDecoder) value(depth int) lua.LValue {
	d.s.budget.stepOrRaise(d.l)
	if depth > maxJSONDepth {
		d.l.RaiseError("Found too many nested data structures (%d)", depth)
	}
	d.space()
	if d.at == len(d.in) {
		d.fail("value")
	}
	switch c := d.in[d.at]; {
	case c == '{':
		d.at++
		return d.object(depth + 1)
	case c == '[':
		d.at++
		return d.array(depth + 1)
	case c == '"':
		d.at++
		return lua.LString(d.string())
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	for word, v := range map[string]lua.LValue{"true": lua.LTrue, "false": lua.LFalse, "null": jsonNull} {
		if strings.HasPrefix(d.in[d.at:], word) {
			d.at += len(word)
			return v
		}
	}
	d.fail("value")
	return nil
}

func (d *jsonDecoder) object(depth int) lua.LValue {
	t := &lua.LTable{Metatable: lua.LNil}
	if d.take('}') {
		return t
	}
	for {
		if !d.take('"') {
			d.fail("object key string")
		}
		k := d.string()
		if !d.take(':') {
			d.fail("colon")
		}
		t.RawSetString(k, d.value(depth))
		if d.take('}') {
			return t
		}
		if !d.take(',') {
			d.fail("comma or object end")
		}
	}
}

func (d *jsonDecoder) array(depth int) lua.LValue {
	t := &lua.LTable{Metatable: lua.LNil}
	if d.take(']') {
		return t
	}
	for i := 1; ; i++ {
		t.RawSetInt(i, d.value(depth))
		if d.take(']') {
			return t
		}
		if !d.take(',') {
			d.fail("comma or array end")
		}
	}
}

func (d *jsonDecoder) number() lua.LValue {
	from := d.at
	for d.at < len(d.in) && strings.IndexByte("+-.0123456789eE", d.in[d.at]) >= 0 {
		d.at++
	}
	n, err := strconv.ParseFloat(d.in[from:d.at], 64)
	if err != nil {
		d.at = from
		d.fail("value")
	}
	return lua.LNumber(n)
}

// string reads up to the closing quote.
func (d *jsonDecoder) string() string {
	end := strings.IndexAny(d.in[d.at:], `"\`)
	if end >= 0 && d.in[d.at+end] == '"' {
		s := d.in[d.at : d.at+end]
		d.at += end + 1
		return s
	}
	var b []byte
	for d.at < len(d.in) {
		c := d.in[d.at]
		d.at++
		switch c {
		case '"':
			return string(b)
		case '\\':
			b = d.escape(b)
		default:
			b = append(b, c)
		}
	}
	d.fail("string end")
	return ""
}

func (d *jsonDecoder) escape(b []byte) []byte {
	if d.at == len(d.in) {
		d.fail("escape")
	}
	c := d.in[d.at]
	d.at++
	switch c {
	case '"', '\\', '/':
		return append(b, c)
	case 'b':
		return append(b, '\b')
	case 'f':
		return append(b, '\f')
	case 'n':
		return append(b, '\n')
	case 'r':
		return append(b, '\r')
	case 't':
		return append(b, '\t')
	case 'u':
		r := d.hex()
		if utf16.IsSurrogate(r) && strings.HasPrefix(d.in[d.at:], `\u`) {
			d.at += 2
			r = utf16.DecodeRune(r, d.hex())
		}
		return utf8.AppendRune(b, r)
	}
	d.fail("escape")
	return nil
}

func (d *jsonDecoder) hex() rune {
	if d.at+4 > len(d.in) {
		d.fail("unicode escape")
	}
	n, err := strconv.ParseUint(d.in[d.at:d.at+4], 16, 16)
	if err != nil {
		d.fail("unicode escape")
	}
	d.at += 4
	return rune(n)
}
