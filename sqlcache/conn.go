package sqlcache

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/larder-go/larder/internal/statement"
)

// conn is a driver's connection. database/sql uses it from one goroutine at a time.
type conn struct {
	db      *database
	base    driver.Conn
	dialect Dialect
	status  func() byte // of the transaction, as PostgreSQL says it; nil where nobody tells

	scope *scope // nil until asked, or where there is no answer
	asked time.Time
	tx    *transaction // nil outside
	// dirty says that the session is not what scope says any more, unclear that it is
	// not known whether a transaction is open, lent that somebody else has the driver's
	// connection too.
	dirty, unclear, lent bool
	// whole says that the dialect tells all of a session that was changed.
	whole bool
}

// transaction collects what its COMMIT will change.
type transaction struct{ effects }

var _ interface {
	driver.Pinger
	driver.ExecerContext
	driver.QueryerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
} = (*conn)(nil)

func (c *conn) Ping(ctx context.Context) error {
	if p, ok := c.base.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *conn) ResetSession(ctx context.Context) error {
	if r, ok := c.base.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	if v, ok := c.base.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.base.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) Close() error { return c.base.Close() }

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := prepare(ctx, c.base, query)
	if err != nil {
		return nil, err
	}
	return wrapStmt(c, s, query), nil
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.prepareTx(ctx)
	base, err := begin(ctx, c.base, opts)
	if err != nil {
		return nil, err
	}
	if c.tx == nil { // else it was begun by hand, and PostgreSQL goes on with it
		c.tx = &transaction{}
	}
	return &tx{base: base, conn: c}, nil
}

// prepareTx reads what cannot be read once a transaction is open.
func (c *conn) prepareTx(ctx context.Context) {
	if s := c.inScope(ctx); s != nil && c.tx == nil {
		s.definitions(ctx, c, c.db.opts.CatalogMaxAge)
	}
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !execs(c.base) {
		return nil, driver.ErrSkip
	}
	return c.exec(ctx, query, args, func() (driver.Result, error) { return execConn(ctx, c.base, query, args) })
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !queries(c.base) {
		return nil, driver.ErrSkip
	}
	return c.query(ctx, query, args, func() (driver.Rows, error) { return queryConn(ctx, c.base, query, args) })
}

// exec runs what returns no rows.
func (c *conn) exec(ctx context.Context, query string, args arguments, run func() (driver.Result, error)) (driver.Result, error) {
	s := c.db.statement(query)
	p, sure := c.plan(ctx, query, s)
	end := c.start(ctx, s, query, c.effectsOf(query, s, p, sure, args))
	r, err := run()
	if end != nil {
		end(err)
	}
	return r, err
}

// query runs what returns rows: from the cache, if it can.
func (c *conn) query(ctx context.Context, query string, args arguments, run func() (driver.Rows, error)) (driver.Rows, error) {
	s := c.db.statement(query)
	p, sure := c.plan(ctx, query, s)
	e := c.effectsOf(query, s, p, sure, args)
	if s.Kind == statement.Select && e.none() && !e.session {
		k, why := c.admit(ctx, query, s, p, sure, args)
		if why == cached {
			return c.read(ctx, k, run)
		}
		c.db.counters.bypassed[why].Add(1)
		return run()
	}
	c.db.counters.bypassed[notARead].Add(1)
	end := c.start(ctx, s, query, e)
	r, err := run()
	switch {
	case end == nil:
	case err != nil:
		end(err)
	default:
		return watch(r, end), nil
	}
	return r, err
}

// plan tells what a statement means; nil where that is not known, or of no interest.
func (c *conn) plan(ctx context.Context, query string, s *statement.Statement) (p *plan, sure bool) {
	switch s.Kind {
	case statement.Commit, statement.Rollback, statement.Savepoint, statement.Harmless:
		return nil, false
	case statement.Begin:
		c.prepareTx(ctx)
		return nil, false
	}
	sc := c.inScope(ctx)
	if sc == nil {
		return nil, false
	}
	return sc.plan(ctx, c, query, s)
}

// askAgainAfter spares a database that does not tell its scope.
const askAgainAfter = 10 * time.Second

// inScope returns the scope of the connection, for which it asks once, and again where
// the session was changed. It is nil where it is not known; inside a transaction nothing
// is asked, which might break it.
func (c *conn) inScope(ctx context.Context) *scope {
	known := c.scope != nil && !(c.dirty && c.whole)
	if known || c.tx != nil || c.unclear || c.lent || time.Since(c.asked) < askAgainAfter {
		return c.scope
	}
	s, err := c.dialect.Scope(ctx, queryer{c.base})
	if err != nil {
		if ctx.Err() == nil {
			c.asked = time.Now()
			c.db.failed("the session's settings cannot be read", err)
		}
		return c.scope
	}
	s.Session += "\x00" + c.form()
	c.scope, c.whole = c.db.scope(s), s.Whole
	c.dirty = c.dirty && !s.Whole
	return c.scope
}
