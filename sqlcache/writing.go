package sqlcache

import (
	"database/sql/driver"
	"reflect"
)

// writing are the rows of a statement that has more to do than to return them: it has
// ended when they are closed.
type writing struct {
	driver.Rows
	end func(error)
}

// watch makes rows that tell their end.
func watch(r driver.Rows, end func(error)) driver.Rows {
	w := writing{r, end}
	if sets, ok := r.(driver.RowsNextResultSet); ok {
		return &writingSets{w, sets}
	}
	return &w
}

// writingSets are writing, of a driver that returns several result sets.
type writingSets struct {
	writing
	sets driver.RowsNextResultSet
}

func (w *writingSets) HasNextResultSet() bool { return w.sets.HasNextResultSet() }
func (w *writingSets) NextResultSet() error   { return w.sets.NextResultSet() }

func (w *writing) Close() error {
	err := w.Rows.Close()
	w.end(err)
	return err
}

func (w *writing) ColumnTypeScanType(i int) reflect.Type { return columnOf(w.Rows, i).scan }

func (w *writing) ColumnTypeDatabaseTypeName(i int) string { return columnOf(w.Rows, i).database }

func (w *writing) ColumnTypeLength(i int) (int64, bool) {
	c := columnOf(w.Rows, i)
	return c.length, c.hasLength
}

func (w *writing) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := columnOf(w.Rows, i)
	return c.nullable, c.hasNullable
}

func (w *writing) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := columnOf(w.Rows, i)
	return c.precision, c.scale, c.hasPrecision
}
