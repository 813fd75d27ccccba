package sqlcache_test

import (
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/sqlcache"
)

func TestChangedSessionBypasses(t *testing.T) {
	t.Parallel()
	for change, others := range map[string]string{
		"SET search_path TO other, public":                         "hit",
		"SET TIME ZONE 'Asia/Tokyo'":                               "hit",
		"SELECT set_config('app.tenant', '7', false)":              "hit",
		"CREATE TEMP TABLE users AS SELECT 1 AS id, 'tmp' AS name": "miss", // as if users were written
		"DO $$ BEGIN SET search_path TO other; END $$":             "miss", // it may do anything
	} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			db, bare := postgres(t, all)
			do(t, bare, "CREATE SCHEMA other")
			do(t, bare, "CREATE TABLE other.users AS SELECT 1 AS id, 'eve' AS name")
			changed, other := pinned(t, db), pinned(t, db)
			expectIn(t, t.Context(), db, changed, "miss", "ada; bob", usersQuery)
			do(t, changed, change)
			want := ask(t, changed, usersQuery)
			expectIn(t, t.Context(), db, changed, "the session was changed", want, usersQuery)
			expectIn(t, t.Context(), db, other, others, "ada; bob", usersQuery)
			// Names may mean another table there.
			do(t, changed, "UPDATE users SET name = 'new' WHERE id = 1")
			expectIn(t, t.Context(), db, other, "miss", ask(t, bare, usersQuery), usersQuery)
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
