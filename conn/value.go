package conn

import (
	"fmt"
	"strconv"
)

// Kind is the type of a reply, RESP3's types by their usual names.
type Kind uint8

// The kinds of a Value.
const (
	Nil      Kind = iota // absent: RESP2 null bulk and null array, RESP3 null
	Bulk                 // binary-safe string (Str)
	Status               // simple string such as OK (Str)
	Int                  // 64-bit integer (Int)
	Float                // double, in Str as the server wrote it
	Bool                 // Int is 0 or 1
	BigNum               // integer of any size, in Str
	Verbatim             // text with a format, Str without the "txt:" prefix
	Array                // Elems
	Set                  // Elems
	Map                  // Elems: key, value, key, value …
	Failure              // an error inside an aggregate: Str is the server's text
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{"nil", "bulk", "status", "int", "float", "bool", "bignum", "verbatim", "array", "set", "map", "failure"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one reply of a server. The zero Value is the nil reply.
// Strings may share memory with the connection's read buffer copy; they are
// never modified after the Value has been returned.
type Value struct {
	Kind  Kind
	Int   int64
	Str   string
	Elems []Value
}

// IsNil tells whether the reply was null.
func (v Value) IsNil() bool { return v.Kind == Nil }

// Text returns the reply as a string: strings as they are, integers in decimal.
func (v Value) Text() (string, error) {
	switch v.Kind {
	case Bulk, Status, Float, BigNum, Verbatim:
		return v.Str, nil
	case Int, Bool:
		return strconv.FormatInt(v.Int, 10), nil
	}
	return "", v.unexpected("text")
}

// Int64 returns the reply as an integer, parsing strings in decimal.
func (v Value) Int64() (int64, error) {
	switch v.Kind {
	case Int, Bool:
		return v.Int, nil
	case Bulk, Status:
		n, err := strconv.ParseInt(v.Str, 10, 64)
		if err != nil {
			return 0, v.unexpected("an integer")
		}
		return n, nil
	}
	return 0, v.unexpected("an integer")
}

// List returns the elements of an array, set or map.
func (v Value) List() ([]Value, error) {
	switch v.Kind {
	case Array, Set, Map:
		return v.Elems, nil
	}
	return nil, v.unexpected("a list")
}

// unexpected names the kinds only: replies are users' data.
func (v Value) unexpected(want string) error {
	return fmt.Errorf("conn: the reply is %s, not %s", v.Kind, want)
}
