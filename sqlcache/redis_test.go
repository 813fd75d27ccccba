package sqlcache_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/sqlcache"
)

// redisServer returns what opens connections to the shared Redis.
func redisServer(t *testing.T) func() conn.Conn {
	t.Helper()
	return dial(t, redistest.Shared(t).URL())
}

func dial(t *testing.T, url string) func() conn.Conn {
	return func() conn.Conn {
		t.Helper()
		c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

// untilKnown returns when a process knows that a statement writes a table.
func untilKnown(t *testing.T, db *sql.DB, statement, table string) {
	t.Helper()
	for {
		x, err := sqlcache.Explain(t.Context(), db, statement)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range x.Writes {
			if strings.HasSuffix(tag, ":"+table) {
				return
			}
		}
	}
}

func TestRedisThatIsGone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	db, bare := postgresOver(t, dial(t, server.URL())(), sqlcache.Options{All: true})
	expect(t, db, "miss", "ada; bob", usersQuery)
	expect(t, db, "hit", "ada; bob", usersQuery)
	server.Stop()
	do(t, db, "UPDATE users SET name = 'eve' WHERE id = 1")
	for range 3 {
		if got := ask(t, db, usersQuery); got != "eve; bob" {
			t.Errorf("got %q", got)
		}
	}
	tx := within(t, db, func(tx *sql.Tx) { do(t, tx, "UPDATE users SET name = 'fox' WHERE id = 1") })
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, db, usersQuery), ask(t, bare, usersQuery); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := stats(t, db); s.Failures == 0 || s.Pending == 0 {
		t.Errorf("nobody is told: %+v", s)
	}
	server.Restart()
	for stats(t, db).Pending > 0 {
		if t.Context().Err() != nil {
			t.Fatal("the invalidations are never delivered")
		}
	}
}
