package pgxcache

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows are pgx.Rows over those of the wrapped driver. They hold a connection, whose types
// they are read by.
type rows struct {
	base    driver.Rows // nil where the query has failed
	conn    *pgx.Conn
	release func()
	call    *call
	fields  []pgconn.FieldDescription
	values  []driver.Value
	raw     [][]byte
	read    int
	closed  bool
	err     error
}

var _ pgx.Rows = (*rows)(nil)

// failed are the rows of a query that has failed: pgx returns both.
func failed(err error) *rows { return &rows{err: err, closed: true} }

func newRows(base driver.Rows, conn *pgx.Conn, call *call, release func()) (*rows, error) {
	fields, err := fieldsOf(base)
	if err != nil {
		return nil, err
	}
	return &rows{
		base: base, conn: conn, release: release, call: call, fields: fields,
		values: make([]driver.Value, len(fields)), raw: make([][]byte, len(fields)),
	}, nil
}

func (r *rows) Next() bool {
	if r.closed {
		return false
	}
	if err := r.base.Next(r.values); err != nil {
		if err != io.EOF { //nolint:errorlint // as database/sql compares it
			r.err = err
		}
		r.Close()
		return false
	}
	for i, v := range r.values {
		r.raw[i], _ = v.([]byte)
	}
	r.read++
	return true
}

func (r *rows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	if err := r.base.Close(); r.err == nil {
		r.err = err
	}
	r.release()
}

func (r *rows) Err() error                                   { return r.err }
func (r *rows) FieldDescriptions() []pgconn.FieldDescription { return r.fields }
func (r *rows) RawValues() [][]byte                          { return r.raw }
func (r *rows) Conn() *pgx.Conn                              { return r.conn }

// TypeMap is the connection's; nil where there is none.
func (r *rows) TypeMap() *pgtype.Map {
	if r.conn == nil {
		return nil
	}
	return r.conn.TypeMap()
}

// CommandTag is that of the statement; a stored result was a SELECT's.
func (r *rows) CommandTag() pgconn.CommandTag {
	if r.closed && r.err == nil && r.call.tag.String() == "" {
		return pgconn.NewCommandTag(fmt.Sprintf("SELECT %d", r.read))
	}
	if r.call == nil {
		return pgconn.CommandTag{}
	}
	return r.call.tag
}

func (r *rows) Scan(dest ...any) error {
	if len(dest) == 1 {
		if s, ok := dest[0].(pgx.RowScanner); ok {
			return r.fatal(s.ScanRow(r))
		}
	}
	return r.fatal(pgx.ScanRow(r.conn.TypeMap(), r.fields, r.raw, dest...))
}

// fatal ends the rows with an error, as pgx does.
func (r *rows) fatal(err error) error {
	if err != nil {
		r.err = err
		r.Close()
	}
	return err
}

var errClosed = errors.New("rows is closed")

func (r *rows) Values() ([]any, error) {
	if r.closed {
		return nil, errClosed
	}
	m := r.conn.TypeMap()
	values := make([]any, len(r.fields))
	for i, f := range r.fields {
		raw := r.raw[i]
		if raw == nil {
			continue
		}
		t, known := m.TypeForOID(f.DataTypeOID)
		switch {
		case known:
			v, err := t.Codec.DecodeValue(m, f.DataTypeOID, f.Format, raw)
			if err != nil {
				return nil, r.fatal(err)
			}
			values[i] = v
		case f.Format == pgx.TextFormatCode:
			values[i] = string(raw)
		default:
			values[i] = bytes.Clone(raw)
		}
	}
	return values, nil
}

// row is the first of rows.
type row struct{ *rows }

func (r row) Scan(dest ...any) error {
	defer r.Close()
	if r.err != nil {
		return r.err
	}
	if !r.Next() {
		if r.err != nil {
			return r.err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.Close()
	return r.err
}
