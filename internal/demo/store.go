package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"

	"github.com/larder-go/larder"
	_ "modernc.org/sqlite" // the driver
)

// What one answer shows at most.
const (
	maxSymbols = 300
	maxHits    = 20
)

// store is the application's database, the source that the caches stand before.
type store struct {
	read, write *sql.DB
	// apart says that an answer is not read in one transaction, in which nothing would
	// be cached, but each statement by itself.
	apart bool
	// queries counts the SELECT statements that answers took.
	queries atomic.Uint64
}

func openStore(path string) (*store, error) {
	read, err := openSQLite(path, "query_only(1)")
	if err != nil {
		return nil, err
	}
	read.SetMaxIdleConns(16)
	write, err := openSQLite(path, "synchronous(off)")
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	write.SetMaxOpenConns(1)
	return &store{read: read, write: write}, nil
}

func openSQLite(path string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("demo: open the database: %w", err)
	}
	return db, nil
}

func (s *store) close() error {
	return errors.Join(s.read.Close(), s.write.Close()) // twice does nothing
}

// snapshot is one read transaction: all its statements see the same state, unless they
// are apart.
type snapshot struct {
	tx interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	queries *atomic.Uint64
}

func (s *store) snapshot(ctx context.Context, fn func(snapshot) error) error {
	q := snapshot{s.read, &s.queries}
	if !s.apart {
		tx, err := s.read.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("demo: read the database: %w", err)
		}
		defer tx.Rollback() //nolint:errcheck // nothing was written
		q.tx = tx
	}
	err := fn(q)
	if errors.Is(err, sql.ErrNoRows) {
		return larder.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("demo: read the database: %w", err)
	}
	return nil
}

func (s snapshot) one(ctx context.Context, query string, args []any, into ...any) error {
	s.queries.Add(1)
	return s.tx.QueryRowContext(ctx, query, args...).Scan(into...)
}

// list appends a T for each row; fields names its columns' destinations.
func list[T any](ctx context.Context, s snapshot, query string, args []any, fields func(*T) []any) ([]T, error) {
	s.queries.Add(1)
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		var v T
		if err := rows.Scan(fields(&v)...); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func itself(s *string) []any { return []any{s} }
