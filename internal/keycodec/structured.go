package keycodec

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// field is one leaf of a struct key.
type field struct {
	name  string // with the path, for example "page.number"
	kind  reflect.Kind
	index []int // field numbers from the outer struct inwards
	array []int // element number for each index, -1 where it is no array
}

func structured[K comparable](t reflect.Type) (*Codec[K], error) {
	fields, err := leaves(t, "", nil, nil)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("keys of type %s have no fields", t)
	}
	names := map[string]bool{}
	for _, f := range fields {
		if names[f.name] {
			return nil, fmt.Errorf("keys of type %s have two fields named %q", t, f.name)
		}
		names[f.name] = true
	}
	return &Codec[K]{
		pattern: pattern(fields),
		appendTo: func(dst []byte, key K) []byte {
			v := reflect.ValueOf(key)
			for i, f := range fields {
				if i > 0 {
					dst = append(dst, '&')
				}
				dst = append(append(dst, f.name...), '=')
				if leaf := f.of(v); leaf.Kind() == reflect.String {
					dst = append(dst, url.QueryEscape(leaf.String())...)
				} else {
					dst = appendScalar(dst, leaf)
				}
			}
			return dst
		},
		parse: func(text string) (key K, ok bool) {
			v := reflect.ValueOf(&key).Elem()
			for i, f := range fields {
				part, rest, more := strings.Cut(text, "&")
				if more != (i < len(fields)-1) {
					return key, false
				}
				value, ok := strings.CutPrefix(part, f.name+"=")
				if !ok || !parseLeaf(value, f.of(v)) {
					return key, false
				}
				text = rest
			}
			return key, true
		},
	}, nil
}

func pattern(fields []field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.name + "=<" + f.kind.String() + ">"
	}
	return strings.Join(parts, "&")
}

func parseLeaf(text string, leaf reflect.Value) bool {
	if leaf.Kind() != reflect.String {
		return parseScalar(text, leaf)
	}
	s, err := url.QueryUnescape(text)
	if err != nil || url.QueryEscape(s) != text {
		return false
	}
	leaf.SetString(s)
	return true
}

func (f field) of(v reflect.Value) reflect.Value {
	for i, n := range f.index {
		if f.array[i] >= 0 {
			v = v.Index(f.array[i])
		} else {
			v = v.Field(n)
		}
	}
	return v
}

// leaves lists the scalar fields of t, depth first.
func leaves(t reflect.Type, path string, index, array []int) ([]field, error) {
	switch t.Kind() {
	case reflect.Struct:
		var all []field
		for i := range t.NumField() {
			sf := t.Field(i)
			if !sf.IsExported() {
				return nil, fmt.Errorf("the key's field %s is not exported, so it cannot be encoded", join(path, sf.Name))
			}
			name := sf.Tag.Get("larder")
			if name == "" {
				name = strings.ToLower(sf.Name)
			}
			if strings.ContainsAny(name, "=&.% ") {
				return nil, fmt.Errorf("the key's field %s is named %q; allowed: no '=', '&', '.', '%%' or space", join(path, sf.Name), name)
			}
			sub, err := leaves(sf.Type, join(path, name), add(index, i), add(array, -1))
			if err != nil {
				return nil, err
			}
			all = append(all, sub...)
		}
		return all, nil
	case reflect.Array:
		var all []field
		for i := range t.Len() {
			sub, err := leaves(t.Elem(), join(path, strconv.Itoa(i)), add(index, 0), add(array, i))
			if err != nil {
				return nil, err
			}
			all = append(all, sub...)
		}
		return all, nil
	case reflect.String, reflect.Bool,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return []field{{name: path, kind: t.Kind(), index: index, array: array}}, nil
	}
	return nil, fmt.Errorf("the key's field %s is of type %s; allowed: strings, integers, booleans, arrays and structs of them", path, t)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// add copies: siblings must not share a backing array.
func add(path []int, n int) []int { return append(append([]int(nil), path...), n) }
