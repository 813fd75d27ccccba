package pgxcache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/pgxcache"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(pgtest.Main{M: m})) }

func open(t *testing.T) (*pgxcache.DB, *pgxpool.Pool) {
	t.Helper()
	url := pgtest.Database(t)
	pgtest.Do(t, url, `CREATE TABLE users (id bigint PRIMARY KEY, name text, at timestamptz DEFAULT '2024-02-29 12:00+00', tags text[]);
		INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); UPDATE users SET tags = '{a,b}' WHERE id = 1`)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	db, err := pgxcache.New(pool, c, sqlcache.Options{All: true, CacheTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, pool
}

type user struct {
	ID   int64
	Name string
	At   time.Time
	Tags []string
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func users(t *testing.T, q querier) []user {
	t.Helper()
	rows, err := q.Query(t.Context(), "SELECT id, name, at, tags FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByName[user])
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("SELECT %d", len(got)); rows.CommandTag().String() != want {
		t.Errorf("got the tag %q, want %q", rows.CommandTag(), want)
	}
	return got
}

// check compares with the pool, and counts hits.
func check(t *testing.T, db *pgxcache.DB, pool *pgxpool.Pool, hit bool) {
	t.Helper()
	before := db.Stats().Hits
	if got, want := users(t, db), users(t, pool); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if db.Stats().Hits > before != hit {
		t.Errorf("a hit: %t, want %t: %+v", !hit, hit, db.Stats())
	}
}

func TestQueriesAreCached(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	check(t, db, pool, false)
	check(t, db, pool, true)
	tag, err := db.Exec(t.Context(), "UPDATE users SET name = $1 WHERE id = $2", "eve", 1)
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
	check(t, db, pool, false)
	var id int64
	if err := db.QueryRow(t.Context(), "INSERT INTO users VALUES (3, 'new') RETURNING id").Scan(&id); err != nil || id != 3 {
		t.Fatal(id, err)
	}
	check(t, db, pool, false)
	check(t, db, pool, true)
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	check(t, db, pool, false)
	failed := errors.New("no")
	for name, fn := range map[string]func(pgx.Tx) error{
		"exec": func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE users SET name = name || '.' WHERE id = $1", 1)
			return err
		},
		"copy": func(tx pgx.Tx) error {
			n, err := tx.CopyFrom(t.Context(), pgx.Identifier{"users"}, []string{"id", "name"}, pgx.CopyFromRows([][]any{{7, "x"}, {8, "y"}}))
			if n != 2 {
				t.Errorf("copied %d", n)
			}
			return err
		},
		"batch": func(tx pgx.Tx) error {
			b := &pgx.Batch{}
			b.Queue("UPDATE users SET name = name || '!' WHERE id = $1", 2)
			return tx.SendBatch(t.Context(), b).Close()
		},
		"savepoint": func(tx pgx.Tx) error {
			return pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
				return tx.QueryRow(t.Context(), "DELETE FROM users WHERE id = 2 RETURNING id").Scan(new(int64))
			})
		},
		"commits itself": func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO users VALUES (9, 'z')"); err != nil {
				return err
			}
			return tx.Commit(t.Context())
		},
	} {
		users(t, db)
		if err := db.InTx(t.Context(), func(tx pgx.Tx) error { return errors.Join(fn(tx), failed) }); name != "commits itself" {
			if !errors.Is(err, failed) {
				t.Errorf("%s: %v", name, err)
			}
			check(t, db, pool, true) // rolled back
			if err := db.InTx(t.Context(), fn); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		check(t, db, pool, false)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	if err := db.QueryRow(t.Context(), "SELECT name FROM users WHERE id = 99").Scan(new(string)); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("got %v", err)
	}
	if err := db.QueryRow(t.Context(), "SELECT nothing FROM users").Scan(new(string)); err == nil {
		t.Error("no error")
	}
	rows, err := db.Query(t.Context(), "SELECT name FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		if err := rows.Scan(new(int)); err == nil {
			t.Error("a name is no int")
		}
	}
	if rows.Err() == nil {
		t.Error("no error")
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are not given back", n)
	}
}

func TestValuesAreThoseOfPgx(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	const query = "SELECT id, name, at, tags, id::numeric, NULL::int, '{\"a\": 1}'::jsonb, at::date, name::bytea FROM users ORDER BY 1"
	all := func(q querier) (values [][]any) {
		rows, err := q.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, v)
		}
		return values
	}
	want := all(pool)
	for range 2 {
		if got := all(db); !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v\nwant %#v", got, want)
		}
	}
	if s := db.Stats(); s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	if s := db.Describe(); s.Kind != observe.SQL || s.Name != sqlcache.DefaultNamespace || len(s.Prefixes) != 2 {
		t.Errorf("%+v", s)
	}
}
