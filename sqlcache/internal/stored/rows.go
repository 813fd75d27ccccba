package stored

import (
	"database/sql/driver"
	"io"
	"reflect"
)

// Rows hands out a result, and goes on with the driver's own rows where the result
// ends before they do. What a driver's rows can be asked for optionally it answers as
// database/sql would without them, so nobody can tell the difference.
type Rows struct {
	*Result
	left  string // of cells
	read  int    // rows
	shape int    // of the current row

	tail     *tail // nil where the result is whole
	err      error // the driver's, after the last row; nil for io.EOF
	closeErr error // the driver's
}

// tail is what a driver has still to say.
type tail struct {
	driver.Rows
	first   []driver.Value // the row that was read and not stored
	reached bool           // first, or a later row, has been handed out
}

var _ interface {
	driver.RowsColumnTypeScanType
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
} = (*Rows)(nil)

// Columns implements driver.Rows.
func (r *Rows) Columns() []string { return r.names }

// Next implements driver.Rows.
func (r *Rows) Next(dest []driver.Value) error {
	if r.read < r.count {
		d := decoder{left: r.left}
		r.shape = d.row(len(r.shapes), dest) // without fault: Decode has looked at every row
		r.left = d.left
		r.read++
		return nil
	}
	switch {
	case r.tail != nil:
		r.tail.reached = true
		if first := r.tail.first; first != nil {
			r.tail.first = nil
			copy(dest, first)
			return nil
		}
		return r.tail.Next(dest)
	case r.err != nil:
		return r.err
	}
	return io.EOF
}

// Close implements driver.Rows.
func (r *Rows) Close() error {
	if r.tail != nil {
		return r.tail.Close()
	}
	return r.closeErr
}

// column is what is known of a column now.
func (r *Rows) column(i int) column {
	if r.tail != nil && r.tail.reached {
		return columnOf(r.tail.Rows, i)
	}
	return r.shapes[r.shape][i]
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *Rows) ColumnTypeScanType(i int) reflect.Type { return r.column(i).scan }

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *Rows) ColumnTypeDatabaseTypeName(i int) string { return r.column(i).database }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *Rows) ColumnTypeLength(i int) (int64, bool) {
	c := r.column(i)
	return c.length, c.hasLength
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *Rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := r.column(i)
	return c.nullable, c.hasNullable
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *Rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := r.column(i)
	return c.precision, c.scale, c.hasPrecision
}
