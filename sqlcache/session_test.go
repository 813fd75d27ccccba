package sqlcache_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/sqlcache"
)

// A connection whose session was changed shares nothing with what it was before, and
// what it writes is found by the names that it knows now.
func TestChangedSession(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]struct{ from, seen, others, afterWrite string }{
		"SET search_path TO other, public":                         {"miss", "eve", "hit", "hit"}, // writes other.users
		"SET TIME ZONE 'Asia/Tokyo'":                               {"miss", "ada; bob", "hit", "miss"},
		"SELECT set_config('app.tenant', '7', false)":              {"hit", "ada; bob", "hit", "miss"}, // no plan depends on it
		"CREATE TEMP TABLE users AS SELECT 1 AS id, 'tmp' AS name": {"the session was changed", "tmp", "miss", "miss"},
		"DO $$ BEGIN SET search_path TO other; END $$":             {"miss", "eve", "miss", "hit"}, // it may do anything
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db, bare := postgres(t, all)
			do(t, bare, "CREATE SCHEMA other")
			do(t, bare, "CREATE TABLE other.users AS SELECT 1 AS id, 'eve' AS name")
			changed, other := pinned(t, db), pinned(t, db)
			expectIn(t, t.Context(), db, changed, "miss", "ada; bob", usersQuery)
			do(t, changed, change)
			expectIn(t, t.Context(), db, changed, want.from, want.seen, usersQuery)
			expectIn(t, t.Context(), db, other, want.others, "ada; bob", usersQuery)
			do(t, changed, "UPDATE users SET name = 'new' WHERE id = 1")
			expectIn(t, t.Context(), db, other, want.afterWrite, ask(t, bare, usersQuery), usersQuery)
			if got := ask(t, changed, usersQuery); !strings.Contains(got, "new") {
				t.Errorf("after its write, the connection reads %q", got)
			}
		})
	}
}

func TestConnectionsOfOtherSettingsShareNothing(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	const query = "SELECT '2024-07-01 00:00+00'::timestamptz::text, name FROM users WHERE id = 1"
	want := ask(t, pinned(t, db), query)
	do(t, bare, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Tokyo'); END $$")
	got := ask(t, pinned(t, db), query) // made after the change
	if got == want {
		t.Errorf("a connection in Tokyo reads %q", got)
	}
}

func TestUnwrappedConnectionBypasses(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	c := pinned(t, db)
	expectIn(t, t.Context(), db, c, "miss", "ada; bob", usersQuery)
	if err := c.Raw(func(driverConn any) error {
		_, err := sqlcache.Unwrap(driverConn).(*stdlib.Conn).Conn().Exec(t.Context(), "DELETE FROM users WHERE id = 2")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "hit", "ada; bob", usersQuery) // as documented
	if err := sqlcache.Invalidate(t.Context(), db, "public.users"); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "ada", usersQuery)
	expectIn(t, t.Context(), db, c, "the session was changed", "ada", usersQuery)
	if got := sqlcache.Unwrap(7); got != 7 {
		t.Errorf("got %v", got)
	}
}
