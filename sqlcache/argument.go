package sqlcache

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/larder-go/larder/internal/statement"
)

// arguments are those of a statement, as the driver gets them.
type arguments []driver.NamedValue

// text is what the nth argument, from 1, would be written as, if it is one that can
// name a row.
func (a arguments) text(n int) (string, bool) {
	if n < 1 || n > len(a) || a[n-1].Name != "" {
		return "", false
	}
	switch v := a[n-1].Value.(type) {
	case string:
		return v, true
	case []byte:
		return "", false // text to one driver, bytes to another
	case driver.Valuer:
		inner, err := valueOf(v)
		if s, ok := inner.(string); ok && err == nil {
			return s, true
		}
		if n, ok := inner.(int64); ok && err == nil {
			return strconv.FormatInt(n, 10), true
		}
		return "", false
	default:
		rv := reflect.ValueOf(v)
		switch {
		case !rv.IsValid():
		case rv.CanInt():
			return strconv.FormatInt(rv.Int(), 10), true
		case rv.CanUint() && rv.Uint() <= math.MaxInt64:
			return strconv.FormatUint(rv.Uint(), 10), true
		case rv.Kind() == reflect.Array && rv.Len() == 16 && rv.Type().Elem().Kind() == reflect.Uint8:
			b := make([]byte, 16)
			reflect.Copy(reflect.ValueOf(b), rv.Convert(reflect.TypeFor[[16]byte]()))
			return hex.EncodeToString(b), true
		}
	}
	return "", false
}

// plain tells whether each parameter of a statement has its argument: some drivers
// take options among them, and then the nth is not the nth.
func (a arguments) plain(params int) bool { return len(a) == params }

// rewrites tells whether an argument may replace the text of its statement, as pgx
// allows (QueryRewriter).
func (a arguments) rewrites() bool {
	for _, arg := range a {
		switch arg.Value.(type) {
		case nil, int64, float64, bool, []byte, string, time.Time, int, int32:
			continue
		}
		t := reflect.TypeOf(arg.Value)
		if _, ok := t.MethodByName("RewriteQuery"); ok {
			return true
		}
	}
	return false
}

// hash adds the arguments to a hash, types and all, so that 1 and "1" differ. It
// returns why that cannot be done, "" if it can.
func (a arguments) hash(h hash.Hash) string {
	w := hasher{h: h}
	w.number(uint64(len(a)))
	for i, arg := range a {
		w.string(arg.Name)
		if why := w.argument(arg.Value); why != "" {
			return "argument " + strconv.Itoa(i+1) + " " + why
		}
	}
	return ""
}

type hasher struct {
	h   hash.Hash
	buf [9]byte
}

func (w *hasher) number(n uint64) {
	binary.LittleEndian.PutUint64(w.buf[:8], n)
	_, _ = w.h.Write(w.buf[:8])
}

func (w *hasher) string(s string) {
	w.number(uint64(len(s)))
	_, _ = w.h.Write([]byte(s))
}

// tagged writes what kind of thing a number is, and the number.
func (w *hasher) tagged(kind byte, n uint64) {
	w.buf[8] = kind
	binary.LittleEndian.PutUint64(w.buf[:8], n)
	_, _ = w.h.Write(w.buf[:])
}

const clockWords = "is a word that a database may read as the time"

func (w *hasher) argument(v driver.Value) string {
	switch v := v.(type) {
	case nil:
		w.tagged('n', 0)
	case int64:
		w.tagged('i', uint64(v))
	case int: // what most callers pass; some drivers convert it, pgx does not
		w.tagged('I', uint64(v))
	case float64:
		w.tagged('f', math.Float64bits(v))
	case bool:
		w.tagged('b', uint64(len(strconv.FormatBool(v))))
	case string:
		if statement.Moving(v) {
			return clockWords
		}
		w.tagged('s', 0)
		w.string(v)
	case []byte:
		if statement.Moving(string(v)) {
			return clockWords
		}
		w.tagged('y', 0)
		w.string(string(v))
	case time.Time:
		w.time(v)
	default:
		return w.other(v)
	}
	return ""
}

func (w *hasher) time(t time.Time) {
	_, offset := t.Zone()
	w.tagged('t', uint64(t.Unix()))
	w.number(uint64(t.Nanosecond()))
	w.number(uint64(offset))
	w.string(t.Location().String())
}

// other hashes a value that a driver has let pass: its type, all that it holds, and
// what it says of itself. Whatever the driver makes of it follows from these.
func (w *hasher) other(v any) string {
	w.tagged('o', 0)
	t := reflect.TypeOf(v)
	w.string(t.PkgPath() + " " + t.String())
	if valuer, ok := v.(driver.Valuer); ok {
		inner, err := valueOf(valuer)
		if err != nil || !driver.IsValue(inner) {
			return "has no value of its own"
		}
		if why := w.argument(inner); why != "" {
			return why
		}
	}
	return w.content(reflect.ValueOf(v), 0)
}

// valueOf asks a Valuer, which may be a nil pointer that cannot answer.
func valueOf(v driver.Valuer) (inner driver.Value, err error) {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, nil
	}
	return v.Value()
}

const maxDepth = 8

// content hashes plain data. Maps, functions and interfaces are none.
func (w *hasher) content(v reflect.Value, depth int) string {
	if depth > maxDepth {
		return "is nested too deeply"
	}
	if v.CanInterface() {
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			w.time(t)
			return ""
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		w.tagged('b', uint64(len(strconv.FormatBool(v.Bool()))))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.tagged('i', uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.tagged('u', v.Uint())
	case reflect.Float32, reflect.Float64:
		w.tagged('f', math.Float64bits(v.Float()))
	case reflect.String:
		if statement.Moving(v.String()) {
			return clockWords
		}
		w.tagged('s', 0)
		w.string(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			w.tagged('n', 0)
			return ""
		}
		w.tagged('p', 0)
		return w.content(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			w.tagged('n', 0)
			return ""
		}
		w.tagged('l', uint64(v.Len()))
		for i := range v.Len() {
			if why := w.content(v.Index(i), depth+1); why != "" {
				return why
			}
		}
	case reflect.Struct:
		w.tagged('{', uint64(v.NumField()))
		for _, field := range v.Fields() {
			if why := w.content(field, depth+1); why != "" {
				return why
			}
		}
	default:
		return "is a " + v.Type().String()
	}
	return ""
}
