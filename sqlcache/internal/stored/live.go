package stored

import (
	"database/sql/driver"
	"reflect"
)

// Live are rows of a driver. What they cannot be asked for they answer as database/sql
// would without them.
type Live struct{ driver.Rows }

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (l Live) ColumnTypeScanType(i int) reflect.Type { return columnOf(l.Rows, i).scan }

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (l Live) ColumnTypeDatabaseTypeName(i int) string { return columnOf(l.Rows, i).database }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (l Live) ColumnTypeLength(i int) (int64, bool) {
	c := columnOf(l.Rows, i)
	return c.length, c.hasLength
}

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (l Live) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := columnOf(l.Rows, i)
	return c.nullable, c.hasNullable
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (l Live) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := columnOf(l.Rows, i)
	return c.precision, c.scale, c.hasPrecision
}
