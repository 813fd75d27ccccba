package pgxcache

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/sqlcache"
)

// tx is pgx's transaction, watched.
type tx struct {
	pgx.Tx
	session *session
	commit  func() error // of the outermost; nil of a savepoint
}

func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.session.Exec(ctx, sql, args...)
}

func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.session.Query(ctx, sql, args...)
}

func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return t.session.QueryRow(ctx, sql, args...)
}

func (t *tx) Begin(ctx context.Context) (pgx.Tx, error) {
	inner, err := t.Tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &tx{Tx: inner, session: t.session}, nil
}

func (t *tx) Commit(ctx context.Context) error {
	if t.commit == nil {
		return t.Tx.Commit(ctx)
	}
	return t.commit()
}

func (t *tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (n int64, err error) {
	err = t.note(ctx, "COPY "+table.Sanitize()+" FROM STDIN", nil, func() error {
		n, err = t.Tx.CopyFrom(ctx, table, columns, source)
		return err
	})
	return n, err
}

// SendBatch notes each statement before any of them runs.
func (t *tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	for _, q := range b.QueuedQueries {
		_ = t.note(ctx, q.SQL, q.Arguments, func() error { return nil })
	}
	return t.Tx.SendBatch(ctx, b)
}

func (t *tx) Conn() *pgx.Conn {
	sqlcache.Unwrap(t.session.wrapped)
	return t.Tx.Conn()
}

// note lets the wrapper know of a statement that is run in another way.
func (t *tx) note(ctx context.Context, sql string, args []any, run func() error) error {
	_, err := t.session.wrapped.ExecContext(context.WithValue(ctx, callKey{}, &call{run: run}), sql, named(args))
	return err
}
