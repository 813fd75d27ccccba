package sqlcache

import (
	"context"
	"database/sql/driver"
)

// stmt is a driver's prepared statement.
type stmt struct {
	conn  *conn
	base  driver.Stmt
	query string
}

var _ interface {
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
} = (*stmt)(nil)

// convertingStmt is a stmt whose driver converts arguments by their columns.
type convertingStmt struct {
	*stmt
	driver.ColumnConverter
}

func wrapStmt(c *conn, base driver.Stmt, query string) driver.Stmt {
	s := &stmt{conn: c, base: base, query: query}
	if cc, ok := base.(driver.ColumnConverter); ok { //nolint:staticcheck // deprecated, but database/sql asks for it too
		return convertingStmt{s, cc}
	}
	return s
}

func (s *stmt) Close() error  { return s.base.Close() }
func (s *stmt) NumInput() int { return s.base.NumInput() }

func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.base.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}

func (s *stmt) Exec(values []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(values))
}

func (s *stmt) Query(values []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(values))
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, s.query, args, func() (driver.Result, error) { return execStmt(ctx, s.base, args) })
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.query, args, func() (driver.Rows, error) { return queryStmt(ctx, s.base, args) })
}

func named(values []driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}
