package sqlcache

import (
	"database/sql/driver"

	"github.com/larder-go/larder/sqlcache/internal/stored"
)

// writing are the rows of a statement that has more to do than to return them: it has
// ended when they are closed.
type writing struct {
	stored.Live
	end func(error)
}

// watch makes rows that tell their end.
func watch(r driver.Rows, end func(error)) driver.Rows {
	w := writing{stored.Live{Rows: r}, end}
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
