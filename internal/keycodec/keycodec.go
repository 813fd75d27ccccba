// Package keycodec turns the keys of a cache into text and back.
//
// Strings stand for themselves and integers are decimal. A struct is written as
// "field=value&field=value" in the order of its fields, values escaped as in URL
// queries, so keys can be read, sorted and matched by prefix. The encoding is
// canonical: equal keys have one text and every text decodes to at most one key.
package keycodec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// Codec encodes keys of type K. It is safe for concurrent use.
type Codec[K comparable] struct {
	appendTo func(dst []byte, key K) []byte
	parse    func(text string) (K, bool)
	pattern  string
}

// For returns the codec of K, or an error that says which part of K cannot be
// encoded. Allowed are strings, integers, booleans, and structs of these and of
// such structs and arrays, with all fields exported.
func For[K comparable]() (*Codec[K], error) {
	t := reflect.TypeFor[K]()
	switch t.Kind() {
	case reflect.String:
		return &Codec[K]{
			pattern: "<string>",
			// Any type of kind string has the memory layout of string; the
			// detour avoids reflection and allocation on the hot path.
			appendTo: func(dst []byte, key K) []byte { return append(dst, *(*string)(unsafe.Pointer(&key))...) },
			parse:    func(text string) (K, bool) { return *(*K)(unsafe.Pointer(&text)), true },
		}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Bool:
		return scalar[K](t), nil
	case reflect.Struct:
		return structured[K](t)
	}
	return nil, fmt.Errorf("keys of type %s cannot be encoded; allowed: strings, integers, booleans, and structs of them", t)
}

// Append appends the text of key to dst.
func (c *Codec[K]) Append(dst []byte, key K) []byte { return c.appendTo(dst, key) }

// Pattern is what the text of a key looks like, for people: "<int64>",
// "query=<string>&limit=<int>".
func (c *Codec[K]) Pattern() string { return c.pattern }

// Parse returns the key whose text is text, and whether there is one.
func (c *Codec[K]) Parse(text string) (K, bool) {
	key, ok := c.parse(text)
	if !ok {
		var none K
		return none, false
	}
	return key, true
}

func scalar[K comparable](t reflect.Type) *Codec[K] {
	if t.Kind() == reflect.Int64 || t.Kind() == reflect.Int && strconv.IntSize == 64 {
		// The usual row id: without reflection.
		return &Codec[K]{
			pattern: "<" + t.Kind().String() + ">",
			appendTo: func(dst []byte, key K) []byte {
				return strconv.AppendInt(dst, *(*int64)(unsafe.Pointer(&key)), 10)
			},
			parse: func(text string) (K, bool) {
				n, err := strconv.ParseInt(text, 10, 64)
				return *(*K)(unsafe.Pointer(&n)), err == nil && isCanonical(text)
			},
		}
	}
	return &Codec[K]{
		pattern:  "<" + t.Kind().String() + ">",
		appendTo: func(dst []byte, key K) []byte { return appendScalar(dst, reflect.ValueOf(key)) },
		parse: func(text string) (K, bool) {
			var key K
			ok := parseScalar(text, reflect.ValueOf(&key).Elem())
			return key, ok
		},
	}
}

func appendScalar(dst []byte, v reflect.Value) []byte {
	switch {
	case v.CanInt():
		return strconv.AppendInt(dst, v.Int(), 10)
	case v.CanUint():
		return strconv.AppendUint(dst, v.Uint(), 10)
	}
	return strconv.AppendBool(dst, v.Bool())
}

func parseScalar(text string, v reflect.Value) bool {
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil || !isCanonical(text) {
			return false
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil || !isCanonical(text) {
			return false
		}
		v.SetUint(n)
	default:
		if text != "true" && text != "false" {
			return false
		}
		v.SetBool(text == "true")
	}
	return true
}

// isCanonical refuses the other spellings that strconv reads: "+1", "01", "-0".
func isCanonical(number string) bool {
	digits := strings.TrimPrefix(number, "-")
	return number == "0" || digits != "" && digits[0] >= '1' && digits[0] <= '9'
}
