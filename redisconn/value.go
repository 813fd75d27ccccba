package redisconn

import (
	"reflect"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

// typeField is the index of the field that holds a reply's RESP type byte. The
// library exports no way to tell a bulk string from a status, or an array from
// a set; a test checks that the field is there.
var typeField = func() int {
	f, ok := reflect.TypeFor[rueidis.RedisMessage]().FieldByName("typ")
	if !ok || f.Type.Kind() != reflect.Uint8 {
		return -1
	}
	return f.Index[0]
}()

// typeOf returns the RESP type byte of a reply, or the nearest one that the
// library tells.
func typeOf(m *rueidis.RedisMessage) byte {
	if typeField >= 0 {
		return byte(reflect.ValueOf(m).Elem().Field(typeField).Uint())
	}
	switch {
	case m.IsNil():
		return '_'
	case m.IsString():
		return '$'
	case m.IsInt64():
		return ':'
	case m.IsFloat64():
		return ','
	case m.IsBool():
		return '#'
	case m.IsArray():
		return '*'
	case m.IsMap():
		return '%'
	case m.Error() != nil:
		return '-'
	}
	return '('
}

// value converts a reply. Strings are not copied.
func value(m *rueidis.RedisMessage) conn.Value {
	if m.IsInt64() { // before the type is looked up: what scripts answer most
		n, _ := m.ToInt64()
		return conn.Value{Kind: conn.Int, Int: n}
	}
	switch typeOf(m) {
	case '$':
		return text(conn.Bulk, m)
	case '+':
		return text(conn.Status, m)
	case ',':
		return text(conn.Float, m)
	case '#':
		if ok, _ := m.ToBool(); ok {
			return conn.Value{Kind: conn.Bool, Int: 1}
		}
		return conn.Value{Kind: conn.Bool}
	case '(':
		return text(conn.BigNum, m)
	case '=':
		v := text(conn.Verbatim, m)
		if len(v.Str) >= 4 && v.Str[3] == ':' {
			v.Str = v.Str[4:]
		}
		return v
	case '-', '!':
		return text(conn.Failure, m)
	case '*':
		return list(conn.Array, m)
	case '~':
		return list(conn.Set, m)
	case '%':
		return list(conn.Map, retyped(m, '*'))
	}
	return conn.Value{}
}

// text takes ToString's text also where it returns an error: the error's own
// text lacks the prefix "ERR ".
func text(k conn.Kind, m *rueidis.RedisMessage) conn.Value {
	s, _ := m.ToString()
	return conn.Value{Kind: k, Str: s}
}

func list(k conn.Kind, m *rueidis.RedisMessage) conn.Value {
	elems, _ := m.ToArray()
	v := conn.Value{Kind: k, Elems: make([]conn.Value, len(elems))}
	for i := range elems {
		v.Elems[i] = value(&elems[i])
	}
	return v
}

// retyped returns a copy of m with another type byte. The library gives a map's
// elements as a Go map only, without their order and for string keys only; its
// serialised form (seven bytes of expiry, the type, …) has all of them.
func retyped(m *rueidis.RedisMessage, typ byte) *rueidis.RedisMessage {
	const typeAt = 7
	buf := m.CacheMarshal(nil)
	var out rueidis.RedisMessage
	if len(buf) <= typeAt {
		return &out
	}
	buf[typeAt] = typ
	_ = out.CacheUnmarshalView(buf)
	return &out
}
