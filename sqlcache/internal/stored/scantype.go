package stored

import (
	"database/sql"
	"reflect"
	"sync"
	"time"
)

// scanTypes are those that a result can name; the position is part of the encoding.
var scanTypes = []reflect.Type{
	nil, // what some drivers say of a NULL
	reflect.TypeFor[any](),
	reflect.TypeFor[bool](),
	reflect.TypeFor[int](),
	reflect.TypeFor[int8](),
	reflect.TypeFor[int16](),
	reflect.TypeFor[int32](),
	reflect.TypeFor[int64](),
	reflect.TypeFor[uint](),
	reflect.TypeFor[uint8](),
	reflect.TypeFor[uint16](),
	reflect.TypeFor[uint32](),
	reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](),
	reflect.TypeFor[float64](),
	reflect.TypeFor[string](),
	reflect.TypeFor[[]byte](),
	reflect.TypeFor[time.Time](),
	reflect.TypeFor[sql.RawBytes](),
	reflect.TypeFor[sql.NullString](),
	reflect.TypeFor[sql.NullInt64](),
	reflect.TypeFor[sql.NullInt32](),
	reflect.TypeFor[sql.NullInt16](),
	reflect.TypeFor[sql.NullByte](),
	reflect.TypeFor[sql.NullFloat64](),
	reflect.TypeFor[sql.NullBool](),
	reflect.TypeFor[sql.NullTime](),
}

var scanCodes = func() map[reflect.Type]byte {
	m := make(map[reflect.Type]byte, len(scanTypes))
	for i, t := range scanTypes {
		m[t] = byte(i)
	}
	return m
}()

func codeOf(t reflect.Type) byte { return scanCodes[t] }

func hasCode(t reflect.Type) bool {
	_, ok := scanCodes[t]
	return ok
}

func typeOf(code byte) (t reflect.Type, ok bool) {
	if int(code) >= len(scanTypes) {
		return nil, false
	}
	return scanTypes[code], true
}

// scanning remembers which types of rows have the method ScanColumn.
var scanning sync.Map // of reflect.Type to bool

// scansItself tells whether a driver's rows put columns into variables themselves
// (driver.RowsColumnScanner, new in Go 1.27), as nobody can with a stored result.
func scansItself(t reflect.Type) bool {
	if known, ok := scanning.Load(t); ok {
		return known.(bool)
	}
	_, found := t.MethodByName("ScanColumn")
	scanning.Store(t, found)
	return found
}
