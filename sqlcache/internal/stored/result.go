package stored

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
)

// Result is the whole result of a query. It does not change; Rows reads it.
type Result struct {
	names []string
	// shapes are what the driver said of the columns, most often once. Drivers that
	// answer from the current row have one shape for each different answer: the first
	// is that of before the first row, and each row names its own.
	shapes [][]column
	count  int
	// cells are the rows, encoded: see codec.go. Handing out parts of a string needs
	// no copy, and nobody can change them.
	cells string
}

// Count is how many rows it has.
func (r *Result) Count() int { return r.count }

// Rows hands the result out from its beginning.
func (r *Result) Rows() *Rows { return &Rows{Result: r, left: r.cells} }

// column is what database/sql can ask of a column. What a driver has no answer to is
// what database/sql says then.
type column struct {
	scan                     reflect.Type
	database                 string
	length, precision, scale int64
	hasLength, hasPrecision  bool
	nullable, hasNullable    bool
}

// shapeOf asks a driver's rows for their columns.
func shapeOf(r driver.Rows, n int) []column {
	shape := make([]column, n)
	for i := range shape {
		shape[i] = columnOf(r, i)
	}
	return shape
}

func columnOf(r driver.Rows, i int) column {
	c := column{scan: reflect.TypeFor[any]()}
	if r, ok := r.(driver.RowsColumnTypeScanType); ok {
		c.scan = r.ColumnTypeScanType(i)
	}
	if r, ok := r.(driver.RowsColumnTypeDatabaseTypeName); ok {
		c.database = r.ColumnTypeDatabaseTypeName(i)
	}
	if r, ok := r.(driver.RowsColumnTypeLength); ok {
		c.length, c.hasLength = r.ColumnTypeLength(i)
	}
	if r, ok := r.(driver.RowsColumnTypeNullable); ok {
		c.nullable, c.hasNullable = r.ColumnTypeNullable(i)
	}
	if r, ok := r.(driver.RowsColumnTypePrecisionScale); ok {
		c.precision, c.scale, c.hasPrecision = r.ColumnTypePrecisionScale(i)
	}
	return c
}

// ErrUncacheable is in the chain of what says why a result is not stored.
var ErrUncacheable = errors.New("sqlcache: the result cannot be stored")

// Limits bound what of a result is read ahead.
type Limits struct {
	Rows, Bytes int
	// Moving says that the driver answers for columns from the current row.
	Moving bool
}

// Drain reads a driver's rows to their end and closes them. Where it comes upon
// something that cannot be stored it stops: the rows that it returns then go on with
// those of the driver. The error says why the result is not to be stored; whoever
// asked for the rows is given them in any case.
func Drain(base driver.Rows, lim Limits) (*Rows, error) {
	names := slices.Clone(base.Columns())
	res := &Result{names: names, shapes: [][]column{shapeOf(base, len(names))}}
	out := &Rows{Result: res}
	live := func(first []driver.Value, why string) (*Rows, error) {
		out.tail = &tail{Rows: base, first: first}
		return out, fmt.Errorf("%w: %s", ErrUncacheable, why)
	}
	if why := unlike(base); why != "" {
		return live(nil, why)
	}
	if !storable(res.shapes[0]) {
		return live(nil, "a column has a scan type that is not known")
	}
	var cells []byte
	for {
		values := make([]driver.Value, len(names))
		err := base.Next(values)
		if err != nil {
			res.cells, out.left = string(cells), string(cells)
			if err != io.EOF { //nolint:errorlint // as database/sql compares it
				out.err = err
			}
			out.closeErr = base.Close()
			return out, errors.Join(out.err, out.closeErr)
		}
		shape := 0
		if lim.Moving {
			shape = res.shape(shapeOf(base, len(names)))
		}
		longer, err := appendRow(cells, shape, values)
		switch {
		case err != nil:
		case res.count == lim.Rows:
			err = fmt.Errorf("%w: more than MaxRows", ErrUncacheable)
		case len(longer) > lim.Bytes:
			err = fmt.Errorf("%w: more than MaxBytes", ErrUncacheable)
		case !storable(res.shapes[shape]):
			err = fmt.Errorf("%w: a column has a scan type that is not known", ErrUncacheable)
		}
		if err != nil {
			res.cells, out.left = string(cells), string(cells)
			out.tail = &tail{Rows: base, first: values}
			return out, err
		}
		cells = longer
		res.count++
	}
}

// shape returns the number of a shape, which it adds if it is new.
func (r *Result) shape(s []column) int {
	for i, known := range r.shapes {
		if slices.Equal(known, s) {
			return i
		}
	}
	r.shapes = append(r.shapes, s)
	return len(r.shapes) - 1
}

// unlike says what rows of a driver can do that a result cannot.
func unlike(base driver.Rows) string {
	if _, ok := base.(driver.RowsNextResultSet); ok {
		return "there may be several result sets"
	}
	if scansItself(reflect.TypeOf(base)) {
		return "the driver's rows scan columns themselves"
	}
	return ""
}

// storable tells whether all scan types of a shape can be stored.
func storable(shape []column) bool {
	return !slices.ContainsFunc(shape, func(c column) bool { return !hasCode(c.scan) })
}
