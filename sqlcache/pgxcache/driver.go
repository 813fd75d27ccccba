package pgxcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connector, conn and result are a driver as package sqlcache wraps it. Its values are
// those of the wire, and its columns are described by their numbers there, so that pgx
// can make of a stored result what it makes of one that has just come.
type connector struct{}

type connKey struct{}

func (connector) Connect(ctx context.Context) (driver.Conn, error) {
	return &conn{ctx.Value(connKey{}).(*pgx.Conn)}, nil
}

func (connector) Driver() driver.Driver { return nil }

type conn struct{ *pgx.Conn }

var errNotUsed = errors.New("pgxcache: statements are not prepared here")

func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errNotUsed }
func (c *conn) Begin() (driver.Tx, error)           { return nil, errNotUsed }
func (c *conn) Close() error                        { return nil }
func (c *conn) TxStatus() byte                      { return c.PgConn().TxStatus() }

func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if call, _ := ctx.Value(callKey{}).(*call); call != nil {
		call.begun = tx
	}
	return transaction{tx}, nil
}

// transaction has no context of its own: what it ends may outlast the caller's.
type transaction struct{ pgx.Tx }

func (t transaction) Commit() error   { return t.Tx.Commit(context.Background()) }
func (t transaction) Rollback() error { return t.Tx.Rollback(context.Background()) }

// call is what a caller wants to know, or to do, besides.
type call struct {
	tag   pgconn.CommandTag
	begun pgx.Tx
	// run takes the place of the statement, which only says what it does.
	run func() error
}

type callKey struct{}

func (c *conn) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	call, _ := ctx.Value(callKey{}).(*call)
	if call != nil && call.run != nil {
		return driver.ResultNoRows, call.run()
	}
	tag, err := c.Exec(ctx, sql, plain(args)...)
	if call != nil {
		call.tag = tag
	}
	return driver.ResultNoRows, err
}

func (c *conn) QueryContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.Query(ctx, sql, plain(args)...)
	if err != nil {
		return nil, err
	}
	call, _ := ctx.Value(callKey{}).(*call)
	res := &result{rows: r, call: call, ahead: true, more: r.Next()} // only now there are columns
	if err := r.Err(); err != nil {
		return nil, err
	}
	return res, nil
}

func plain(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	return values
}

func named(args []any) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return values
}

// result is what pgx reads, as a driver's rows.
type result struct {
	rows        pgx.Rows
	call        *call
	ahead, more bool // the first row has been asked for
}

func (r *result) Columns() []string {
	fields := r.rows.FieldDescriptions()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func (r *result) Next(dest []driver.Value) error {
	if !r.ahead {
		r.more = r.rows.Next()
	}
	if r.ahead = false; !r.more {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, raw := range r.rows.RawValues() {
		if dest[i] = nil; raw != nil {
			dest[i] = raw
		}
	}
	return nil
}

func (r *result) Close() error {
	r.rows.Close()
	if r.call != nil {
		r.call.tag = r.rows.CommandTag()
	}
	return r.rows.Err()
}

const fieldFormat = "%d %d %d %d %d %d"

func (r *result) ColumnTypeDatabaseTypeName(i int) string {
	f := r.rows.FieldDescriptions()[i]
	return fmt.Sprintf(fieldFormat, f.TableOID, f.TableAttributeNumber, f.DataTypeOID, f.DataTypeSize, f.TypeModifier, f.Format)
}

// fieldsOf are the columns of a driver's rows, stored or not.
func fieldsOf(r driver.Rows) ([]pgconn.FieldDescription, error) {
	names := r.Columns()
	types := r.(driver.RowsColumnTypeDatabaseTypeName)
	fields := make([]pgconn.FieldDescription, len(names))
	for i, name := range names {
		f := &fields[i]
		f.Name = name
		if _, err := fmt.Sscanf(types.ColumnTypeDatabaseTypeName(i), fieldFormat,
			&f.TableOID, &f.TableAttributeNumber, &f.DataTypeOID, &f.DataTypeSize, &f.TypeModifier, &f.Format); err != nil {
			return nil, err
		}
	}
	return fields, nil
}
