package pgxcache

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	redis "github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/sqlcache"
)

// DB is a pool whose queries are cached.
type DB struct {
	pool    *pgxpool.Pool
	wrapper driver.Connector
	key     string // of the wrapped connection, among what goes with the pool's
}

// New makes a DB over a pool and the cache behind c. Close ends the cache and leaves both
// open.
func New(pool *pgxpool.Pool, c redis.Conn, opts sqlcache.Options) (*DB, error) {
	if opts.Dialect == nil {
		opts.Dialect = sqlcache.PostgreSQL()
	}
	w, err := sqlcache.Wrap(connector{}, c, opts)
	if err != nil {
		return nil, err
	}
	return &DB{pool: pool, wrapper: w, key: "pgxcache " + rand.Text()}, nil
}

// Close ends the cache: see larder.Cache.Close.
func (db *DB) Close() error { return db.wrapper.(io.Closer).Close() }

// Stats returns what has been counted so far.
func (db *DB) Stats() sqlcache.Stats {
	return db.wrapper.(interface{ Stats() sqlcache.Stats }).Stats()
}

// wrapped is a connection as package sqlcache makes it.
type wrapped interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnBeginTx
}

// acquire takes a connection out of the pool, with its wrapper.
func (db *DB) acquire(ctx context.Context) (*session, error) {
	c, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	data := c.Conn().PgConn().CustomData()
	w, ok := data[db.key].(wrapped)
	if !ok {
		made, err := db.wrapper.Connect(context.WithValue(ctx, connKey{}, c.Conn()))
		if err != nil {
			c.Release()
			return nil, err
		}
		w = made.(wrapped)
		data[db.key] = w
	}
	return &session{conn: c.Conn(), wrapped: w, release: c.Release}, nil
}

// Exec runs a statement, and drops what it changes from the cache.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s, err := db.acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer s.release()
	return s.Exec(ctx, sql, args...)
}

// Query runs a query, or answers it from the cache.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	s, err := db.acquire(ctx)
	if err != nil {
		return failed(err), err
	}
	return s.Query(ctx, sql, args...)
}

// QueryRow is Query for one row.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	s, err := db.acquire(ctx)
	if err != nil {
		return row{failed(err)}
	}
	return s.QueryRow(ctx, sql, args...)
}

// InTx runs fn in a transaction, which it commits if fn returns nil and rolls back else.
// What fn writes through tx is dropped from the cache with the commit. The pgx.Conn that
// tx.Conn returns is not watched: see sqlcache.Unwrap.
func (db *DB) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	s, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release()
	c := &call{}
	t, err := s.wrapped.BeginTx(context.WithValue(ctx, callKey{}, c), driver.TxOptions{})
	if err != nil {
		return err
	}
	inside := &session{conn: s.conn, wrapped: s.wrapped, release: func() {}}
	committed := false
	defer func() {
		if !committed { // also where fn panics
			_ = t.Rollback()
		}
	}()
	if err := fn(&tx{Tx: c.begun, session: inside, commit: t.Commit}); err != nil {
		return err
	}
	committed = true
	if err := t.Commit(); !errors.Is(err, pgx.ErrTxClosed) {
		return err
	}
	return nil
}

// session is a connection of the pool on its way through the cache.
type session struct {
	conn    *pgx.Conn
	wrapped wrapped
	release func()
}

func (s *session) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	c := &call{}
	_, err := s.wrapped.ExecContext(context.WithValue(ctx, callKey{}, c), sql, named(args))
	return c.tag, err
}

func (s *session) query(ctx context.Context, sql string, args []any) (*rows, error) {
	c := &call{}
	base, err := s.wrapped.QueryContext(context.WithValue(ctx, callKey{}, c), sql, named(args))
	if err != nil {
		s.release()
		return failed(err), err
	}
	r, err := newRows(base, s.conn, c, s.release)
	if err != nil {
		_ = base.Close()
		s.release()
		return failed(err), err
	}
	return r, nil
}

func (s *session) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return s.query(ctx, sql, args)
}

func (s *session) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r, _ := s.query(ctx, sql, args) // r says the error
	return row{r}
}
