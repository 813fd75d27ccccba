package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
)

// What a driver's connection and statements can do optionally, done as database/sql
// does it where they cannot. So the wrapper has all the methods, and nobody can tell.

var errNamed = errors.New("sql: driver does not support the use of Named Parameters")

func plainValues(args []driver.NamedValue) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		if arg.Name != "" {
			return nil, errNamed
		}
		values[i] = arg.Value
	}
	return values, nil
}

// old runs what takes no context and no names.
func old[R any](ctx context.Context, args []driver.NamedValue, run func([]driver.Value) (R, error)) (R, error) {
	var none R
	values, err := plainValues(args)
	if err != nil {
		return none, err
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	return run(values)
}

func execConn(ctx context.Context, c driver.Conn, query string, args []driver.NamedValue) (driver.Result, error) {
	switch c := c.(type) {
	case driver.ExecerContext:
		return c.ExecContext(ctx, query, args)
	case driver.Execer: //nolint:staticcheck // deprecated, but database/sql asks for it too
		return old(ctx, args, func(values []driver.Value) (driver.Result, error) { return c.Exec(query, values) })
	}
	return nil, driver.ErrSkip
}

func queryConn(ctx context.Context, c driver.Conn, query string, args []driver.NamedValue) (driver.Rows, error) {
	switch c := c.(type) {
	case driver.QueryerContext:
		return c.QueryContext(ctx, query, args)
	case driver.Queryer: //nolint:staticcheck // deprecated, but database/sql asks for it too
		return old(ctx, args, func(values []driver.Value) (driver.Rows, error) { return c.Query(query, values) })
	}
	return nil, driver.ErrSkip
}

func execStmt(ctx context.Context, s driver.Stmt, args []driver.NamedValue) (driver.Result, error) {
	if s, ok := s.(driver.StmtExecContext); ok {
		return s.ExecContext(ctx, args)
	}
	return old(ctx, args, s.Exec) //nolint:staticcheck // database/sql calls it too
}

func queryStmt(ctx context.Context, s driver.Stmt, args []driver.NamedValue) (driver.Rows, error) {
	if s, ok := s.(driver.StmtQueryContext); ok {
		return s.QueryContext(ctx, args)
	}
	return old(ctx, args, s.Query) //nolint:staticcheck // database/sql calls it too
}

func prepare(ctx context.Context, c driver.Conn, query string) (driver.Stmt, error) {
	if c, ok := c.(driver.ConnPrepareContext); ok {
		return c.PrepareContext(ctx, query)
	}
	s, err := c.Prepare(query)
	if err == nil && ctx.Err() != nil {
		_ = s.Close()
		return nil, ctx.Err()
	}
	return s, err
}

func begin(ctx context.Context, c driver.Conn, opts driver.TxOptions) (driver.Tx, error) {
	if c, ok := c.(driver.ConnBeginTx); ok {
		return c.BeginTx(ctx, opts)
	}
	switch {
	case opts.Isolation != 0:
		return nil, errors.New("sql: driver does not support non-default isolation level")
	case opts.ReadOnly:
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := c.Begin() //nolint:staticcheck // database/sql calls it too
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// queryBase is a query as database/sql runs it: at once, or prepared.
func queryBase(ctx context.Context, c driver.Conn, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := queryConn(ctx, c, query, args)
	if !errors.Is(err, driver.ErrSkip) {
		return r, err
	}
	s, err := prepare(ctx, c, query)
	if err != nil {
		return nil, err
	}
	r, err = queryStmt(ctx, s, args)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return prepared{r, s}, nil
}

// prepared are rows that close their statement.
type prepared struct {
	driver.Rows
	stmt driver.Stmt
}

func (p prepared) Close() error { return errors.Join(p.Rows.Close(), p.stmt.Close()) }

// execs and queries tell whether a connection runs a text without preparing it.
func execs(c driver.Conn) bool {
	switch c.(type) {
	case driver.ExecerContext, driver.Execer: //nolint:staticcheck // deprecated, but database/sql asks for it too
		return true
	}
	return false
}

func queries(c driver.Conn) bool {
	switch c.(type) {
	case driver.QueryerContext, driver.Queryer: //nolint:staticcheck // deprecated, but database/sql asks for it too
		return true
	}
	return false
}
