// Package fingerprint hashes the shape of a Go type, so that an entry written by
// a program with another idea of the type is a miss and not a misreading.
package fingerprint

import (
	"hash/fnv"
	"io"
	"reflect"
	"strconv"
)

// Of hashes the name of an encoding and the structure of V: kinds, the names,
// order and tags of exported fields, and the names of types that encode
// themselves. It is stable across processes, machines and Go versions.
func Of[V any](encoding string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, encoding)
	_, _ = h.Write([]byte{0})
	describe(h, reflect.TypeFor[V](), map[reflect.Type]int{})
	return h.Sum64()
}

func describe(w io.Writer, t reflect.Type, seen map[reflect.Type]int) {
	put := func(s string) { _, _ = io.WriteString(w, s) }
	if n, ok := seen[t]; ok {
		put("^" + strconv.Itoa(n))
		return
	}
	put(t.Kind().String())
	if t.NumMethod() > 0 && t.Name() != "" {
		// Methods such as MarshalJSON may replace the structure below.
		put("<" + t.String() + ">")
	}
	switch t.Kind() {
	case reflect.Struct:
		seen[t] = len(seen)
		put("{")
		for f := range t.Fields() {
			if !f.IsExported() && !f.Anonymous {
				continue
			}
			put(f.Name + " " + string(f.Tag) + " ")
			describe(w, f.Type, seen)
			put(";")
		}
		put("}")
	case reflect.Pointer, reflect.Slice:
		seen[t] = len(seen)
		describe(w, t.Elem(), seen)
	case reflect.Array:
		put(strconv.Itoa(t.Len()))
		describe(w, t.Elem(), seen)
	case reflect.Map:
		seen[t] = len(seen)
		describe(w, t.Key(), seen)
		describe(w, t.Elem(), seen)
	}
}
