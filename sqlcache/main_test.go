package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/sqlcache"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(pgtest.Main{M: m})) }

// all caches whatever can be; a busy machine is no failure of Redis.
var all = sqlcache.Options{All: true, CacheTimeout: time.Minute}

// store opens an embedded Redis.
func store(t *testing.T) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// connector is that of pgx for a database.
func connector(t testing.TB, url string) driver.Connector {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return stdlib.GetConnector(*config)
}

// wrap opens a database through the wrapper.
func wrap(t *testing.T, base driver.Connector, c conn.Conn, opts sqlcache.Options) *sql.DB {
	t.Helper()
	db, err := sqlcache.OpenDB(base, c, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// postgres makes a database with some tables, and opens it through the wrapper and
// without it.
func postgres(t *testing.T, opts sqlcache.Options) (db, bare *sql.DB) {
	t.Helper()
	return postgresOver(t, store(t), opts)
}

func postgresOver(t *testing.T, c conn.Conn, opts sqlcache.Options) (db, bare *sql.DB) {
	t.Helper()
	url := pgtest.Database(t)
	pgtest.Do(t, url, `
		CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, active bool DEFAULT true);
		CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE, total int);
		INSERT INTO users VALUES (1, 'ada'), (2, 'bob');
		INSERT INTO orders VALUES (10, 1, 5), (11, 2, 7);`)
	bare = sql.OpenDB(connector(t, url))
	t.Cleanup(func() { _ = bare.Close() })
	return wrap(t, connector(t, url), c, opts), bare
}

// querier is a sql.DB, Tx, Conn or Stmt of one query.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// ask runs a query and writes down what it brought.
func ask(t *testing.T, q querier, query string, args ...any) string {
	t.Helper()
	return askIn(t, t.Context(), q, query, args...)
}

func askIn(t *testing.T, ctx context.Context, q querier, query string, args ...any) string {
	t.Helper()
	answer, err := try(ctx, q, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func try(ctx context.Context, q querier, query string, args ...any) (string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		cells := make([]string, len(columns))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			cells[i] = fmt.Sprint(v)
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return strings.Join(lines, "; "), rows.Err()
}

// expect asks, and compares answer and source: "hit", "miss", or why the cache was not
// asked.
func expect(t *testing.T, db *sql.DB, from, want, query string, args ...any) {
	t.Helper()
	expectIn(t, t.Context(), db, db, from, want, query, args...)
}

func expectIn(t *testing.T, ctx context.Context, db *sql.DB, q querier, from, want, query string, args ...any) {
	t.Helper()
	before := stats(t, db)
	got := askIn(t, ctx, q, query, args...)
	if got != want {
		t.Errorf("%s: got %q, want %q", query, got, want)
	}
	after := stats(t, db)
	var seen []string
	if n := after.Hits - before.Hits; n > 0 {
		seen = append(seen, "hit")
	}
	if n := after.Misses - before.Misses; n > 0 {
		seen = append(seen, "miss")
	}
	for why, n := range after.Bypassed {
		if n > before.Bypassed[why] {
			seen = append(seen, why)
		}
	}
	if got := strings.Join(seen, ", "); got != from {
		why, err := sqlcache.Explain(ctx, db, query, args...)
		t.Errorf("%s: got %q, want %q\n%+v %v", query, got, from, why, err)
	}
}

func stats(t *testing.T, db *sql.DB) sqlcache.Stats {
	t.Helper()
	s, err := sqlcache.StatsOf(db)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do executes statements that must succeed.
func do(t *testing.T, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, query string, args ...any,
) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
