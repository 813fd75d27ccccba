package stored

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/larder-go/larder"
)

// Codec turns a Result into bytes and back (uvarint and varint are those of encoding/binary, str is a uvarint
// length and as many bytes):
//
//	result = columns names shapes{shape} count row*
//	columns, shapes, count = uvarint
//	names  = str for each column
//	shape  = for each column: scan type (a byte), flags (a byte), database type (str),
//	         and varints: length, precision, scale
//	row    = number of its shape (uvarint) and a value for each column
//	value  = kind (a byte) and what it says below
//
// A change of any of it needs a new name.
type Codec struct{}

var _ larder.Codec[*Result] = Codec{}

// Name implements larder.Codec.
func (Codec) Name() string { return "sqlcache/1" }

// The kinds of values.
const (
	kindNil      = iota // nil
	kindFalse           // false
	kindTrue            // true
	kindInt             // int64: varint
	kindFloat           // float64: 8 bytes, little endian
	kindString          // string: str
	kindBytes           // []byte: str
	kindNilBytes        // []byte(nil)
	kindUTC             // time.Time in UTC: varint seconds since 1970, uvarint nanoseconds
	kindLocal           // time.Time in time.Local: the same
	kindZone            // time.Time in a fixed zone: the same, str name, varint offset in seconds
	kinds
)

// The flags of a column.
const (
	flagLength = 1 << iota
	flagNullable
	flagHasNullable
	flagPrecision
	flags
)

var errCorrupt = errors.New("sqlcache: the bytes are no result")

// Append implements larder.Codec.
func (Codec) Append(dst []byte, r *Result) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(r.names)))
	for _, name := range r.names {
		dst = appendString(dst, name)
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.shapes)))
	for _, shape := range r.shapes {
		for _, c := range shape {
			dst = appendColumn(dst, c)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(r.count))
	return append(dst, r.cells...), nil
}

// Decode implements larder.Codec.
func (Codec) Decode(data []byte) (*Result, error) {
	d := decoder{left: string(data)}
	r := &Result{}
	columns := d.length()
	r.names = make([]string, 0, columns)
	for range columns {
		r.names = append(r.names, d.string())
	}
	for range d.shapes(columns) {
		shape := make([]column, 0, columns)
		for range columns {
			shape = append(shape, d.column())
		}
		r.shapes = append(r.shapes, shape)
	}
	r.count = d.length()
	r.cells = d.left
	if len(r.shapes) == 0 {
		return nil, errCorrupt
	}
	scratch := make([]driver.Value, columns)
	for range r.count {
		d.row(len(r.shapes), scratch)
		if d.bad {
			break
		}
	}
	if d.bad || d.left != "" {
		return nil, errCorrupt
	}
	return r, nil
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendColumn(dst []byte, c column) []byte {
	var f byte
	set := func(flag byte, on bool) {
		if on {
			f |= flag
		}
	}
	set(flagLength, c.hasLength)
	set(flagNullable, c.nullable)
	set(flagHasNullable, c.hasNullable)
	set(flagPrecision, c.hasPrecision)
	dst = append(dst, codeOf(c.scan), f)
	dst = appendString(dst, c.database)
	dst = binary.AppendVarint(dst, c.length)
	dst = binary.AppendVarint(dst, c.precision)
	return binary.AppendVarint(dst, c.scale)
}

// appendRow appends a row of a shape.
func appendRow(dst []byte, shape int, values []driver.Value) (_ []byte, err error) {
	dst = binary.AppendUvarint(dst, uint64(shape))
	for i, v := range values {
		if dst, err = appendValue(dst, v); err != nil {
			return nil, fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return dst, nil
}

func appendValue(dst []byte, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, kindNil), nil
	case bool:
		if v {
			return append(dst, kindTrue), nil
		}
		return append(dst, kindFalse), nil
	case int64:
		return binary.AppendVarint(append(dst, kindInt), v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, kindFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(dst, kindString), v), nil
	case []byte:
		if v == nil {
			return append(dst, kindNilBytes), nil
		}
		dst = binary.AppendUvarint(append(dst, kindBytes), uint64(len(v)))
		return append(dst, v...), nil
	case time.Time:
		return appendTime(dst, v)
	}
	return nil, fmt.Errorf("%w: a value is a %T", ErrUncacheable, v)
}

// appendTime keeps the instant and the location of a time. Of locations with rules,
// other than the process' own, only the name could be kept.
func appendTime(dst []byte, t time.Time) ([]byte, error) {
	kind := byte(kindZone)
	name, offset := t.Zone()
	switch loc := t.Location(); {
	case loc == time.UTC:
		kind = kindUTC
	case loc == time.Local:
		kind = kindLocal
	case loc.String() != name:
		return nil, fmt.Errorf("%w: a time is in the location %s; allowed: UTC, the local one, or an offset", ErrUncacheable, loc)
	}
	dst = binary.AppendVarint(append(dst, kind), t.Unix())
	dst = binary.AppendUvarint(dst, uint64(t.Nanosecond()))
	if kind == kindZone {
		dst = binary.AppendVarint(appendString(dst, name), int64(offset))
	}
	return dst, nil
}

// decoder reads what a codec has written. After the first fault it reads zeroes.
type decoder struct {
	left string
	bad  bool
}

func (d *decoder) fail() { d.left, d.bad = "", true }

func (d *decoder) byte() byte {
	if d.left == "" {
		d.fail()
		return 0
	}
	b := d.left[0]
	d.left = d.left[1:]
	return b
}

func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		if shift == 63 && b > 1 {
			break
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// length reads the number of things that take at least a byte each.
func (d *decoder) length() int {
	n := d.uvarint()
	if n > uint64(len(d.left)) {
		d.fail()
		return 0
	}
	return int(n)
}

// shapes is length for shapes, which take no byte where there are no columns.
func (d *decoder) shapes(columns int) int {
	if columns > 0 {
		return d.length()
	}
	if d.uvarint() != 1 {
		d.fail()
		return 0
	}
	return 1
}

func (d *decoder) string() string {
	n := d.length()
	s := d.left[:n]
	d.left = d.left[n:]
	return s
}

func (d *decoder) column() column {
	var c column
	var known bool
	if c.scan, known = typeOf(d.byte()); !known {
		d.fail()
	}
	f := d.byte()
	if f >= flags {
		d.fail()
	}
	c.nullable, c.hasNullable = f&flagNullable != 0, f&flagHasNullable != 0
	c.hasLength, c.hasPrecision = f&flagLength != 0, f&flagPrecision != 0
	c.database = d.string()
	c.length, c.precision, c.scale = d.varint(), d.varint(), d.varint()
	return c
}

// row reads a row of a result with so many shapes.
func (d *decoder) row(shapes int, dest []driver.Value) (shape int) {
	n := d.uvarint()
	if n >= uint64(shapes) {
		d.fail()
		return 0
	}
	for i := range dest {
		dest[i] = d.value()
	}
	return int(n)
}

func (d *decoder) value() driver.Value {
	switch kind := d.byte(); kind {
	case kindNil:
		return nil
	case kindFalse, kindTrue:
		return kind == kindTrue
	case kindInt:
		return d.varint()
	case kindFloat:
		if len(d.left) < 8 {
			d.fail()
			return nil
		}
		bits := binary.LittleEndian.Uint64([]byte(d.left[:8]))
		d.left = d.left[8:]
		return math.Float64frombits(bits)
	case kindString:
		return d.string()
	case kindBytes:
		return []byte(d.string())
	case kindNilBytes:
		return []byte(nil)
	case kindUTC, kindLocal, kindZone:
		return d.time(kind)
	}
	d.fail()
	return nil
}

func (d *decoder) time(kind byte) time.Time {
	sec, nsec := d.varint(), d.uvarint()
	if nsec >= 1e9 {
		d.fail()
	}
	t := time.Unix(sec, int64(nsec%1e9))
	switch kind {
	case kindUTC:
		return t.UTC()
	case kindZone:
		name, offset := d.string(), d.varint()
		if offset < -24*3600 || offset > 24*3600 {
			d.fail()
		}
		return t.In(time.FixedZone(strings.Clone(name), int(offset)))
	}
	return t
}
