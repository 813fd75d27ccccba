package sqlcache

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	redis "github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/sqlcache/internal/stored"
)

// Wrap makes a connector whose connections read through the cache behind c, and
// invalidate in it what they write. It is an io.Closer, which sql.DB.Close calls: that
// ends the cache, and leaves c open.
func Wrap(base driver.Connector, c redis.Conn, opts Options) (driver.Connector, error) {
	if base == nil {
		return nil, optionError("base", "nil", "a connector, for example that of pgx's stdlib.GetConnector")
	}
	d, err := newDatabase(c, opts)
	if err != nil {
		return nil, err
	}
	return &connector{base: base, db: d}, nil
}

// OpenDB is Wrap and sql.OpenDB: the one line where a program opens its database.
func OpenDB(base driver.Connector, c redis.Conn, opts Options) (*sql.DB, error) {
	w, err := Wrap(base, c, opts)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(w), nil
}

type connector struct {
	base driver.Connector
	db   *database
}

var _ io.Closer = (*connector)(nil)

func (w *connector) Connect(ctx context.Context) (driver.Conn, error) {
	base, err := w.base.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{db: w.db, base: base, dialect: w.db.opts.Dialect, status: statusOf(base)}
	if c.dialect == nil {
		c.dialect = dialectOf(base)
	}
	return c, nil
}

func (w *connector) Driver() driver.Driver { return &wrapped{w.base.Driver(), w.db} }

func (w *connector) Close() error {
	var err error
	if closer, ok := w.base.(io.Closer); ok {
		err = closer.Close()
	}
	return errors.Join(err, w.db.close())
}

// Stats returns what the connector's connections have counted: see StatsOf.
func (w *connector) Stats() Stats { return w.db.stats() }

// wrapped is what sql.DB.Driver returns: the way from a sql.DB to its cache.
type wrapped struct {
	driver.Driver
	db *database
}

// Unwrap returns the driver's own.
func (w *wrapped) Unwrap() driver.Driver { return w.Driver }

// ErrNotWrapped is returned for a sql.DB that was not opened by this package.
var ErrNotWrapped = errors.New("sqlcache: the database was not opened by sqlcache")

func databaseOf(db *sql.DB) (*database, error) {
	if w, ok := db.Driver().(*wrapped); ok {
		return w.db, nil
	}
	return nil, ErrNotWrapped
}

// Unwrap returns the driver's own connection, for functions that sql.Conn.Raw calls:
//
//	err := conn.Raw(func(c any) error {
//		return copyInto(sqlcache.Unwrap(c).(*stdlib.Conn).Conn())
//	})
//
// What is done with it is not seen. So from then on the connection does not read from
// the cache, and whatever it writes through the wrapper drops everything; after a write
// to the driver's own, call Invalidate. A connection that is not the wrapper's is
// returned as it is.
func Unwrap(driverConn any) any {
	c, ok := driverConn.(*conn)
	if !ok {
		return driverConn
	}
	c.dirty, c.lent = true, true
	if c.status == nil {
		c.unclear = true
	}
	return c.base
}

// form says how the values of a connection look, in as far as the process decides it:
// by the driver, and by its own time zone.
func (c *conn) form() string {
	var form strings.Builder
	form.WriteString(reflect.TypeOf(c.base).String())
	for _, month := range []time.Month{time.January, time.July} {
		_, offset := time.Date(2024, month, 1, 0, 0, 0, 0, time.Local).Zone()
		fmt.Fprintf(&form, " %d", offset)
	}
	return form.String()
}

func (c *conn) limits() stored.Limits {
	_, fixed := c.dialect.(postgres)
	return stored.Limits{Rows: c.db.opts.MaxRows, Bytes: c.db.opts.MaxBytes, Moving: !fixed}
}
