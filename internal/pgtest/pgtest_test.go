package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(pgtest.Main{M: m})) }

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	one, two := pgtest.Database(t), pgtest.Database(t)
	pgtest.Do(t, one, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
	pgtest.Do(t, two, "CREATE TABLE t (a int)")
	expect(t, one, "2", "SELECT count(*)::text FROM t")
	expect(t, two, "0", "SELECT count(*)::text FROM t")
}

func TestDatabaseEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("inner", func(t *testing.T) {
		url = pgtest.Database(t)
		connect(t, url) // and never closed
	})
	if c, err := pgx.Connect(t.Context(), url); err == nil {
		_ = c.Close(t.Context())
		t.Fatal("the database outlived its test")
	}
}

func TestServerLives(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "wal_level = logical")
	url := s.Database(t)
	expect(t, url, "logical", "SHOW wal_level")
	pgtest.Do(t, url, "CREATE TABLE t AS SELECT 1 AS a")
	s.Restart()
	expect(t, url, "1", "SELECT a::text FROM t")
	s.Stop()
	s.Stop()
	if c, err := pgx.Connect(t.Context(), url); err == nil {
		_ = c.Close(t.Context())
		t.Fatal("a stopped server answered")
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func expect(t *testing.T, url, want, query string) {
	t.Helper()
	if got := ask(t, url, query); got != want {
		t.Fatalf("%s = %q, want %q", query, got, want)
	}
}

func ask(t *testing.T, url, query string) (answer string) {
	t.Helper()
	c := connect(t, url)
	defer c.Close(t.Context())
	if err := c.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}
