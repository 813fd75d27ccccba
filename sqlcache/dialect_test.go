package sqlcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/sqlcache"
)

// opener is a connector of a driver that has none.
type opener struct {
	driver driver.Driver
	name   string
}

func (o opener) Connect(context.Context) (driver.Conn, error) { return o.driver.Open(o.name) }
func (o opener) Driver() driver.Driver                        { return o.driver }

// lite makes an SQLite database, and opens it through the wrapper and without it.
func lite(t *testing.T, opts sqlcache.Options) (db, bare *sql.DB) {
	t.Helper()
	base := opener{&sqlite.Driver{}, filepath.Join(t.TempDir(), "test.db") + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"}
	bare = sql.OpenDB(base)
	t.Cleanup(func() { _ = bare.Close() })
	do(t, bare, `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, born DATETIME, score REAL, photo BLOB, ok BOOLEAN);
		INSERT INTO users VALUES (1, 'ada', '2024-02-29 12:34:56', 1.5, x'00ff', true), (2, 'bob', NULL, NULL, x'', false);
		CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT REFERENCES users ON DELETE CASCADE);
		INSERT INTO orders VALUES (10, 1);
		CREATE TABLE noted (n INT); CREATE TABLE log (n INT); INSERT INTO noted VALUES (1);
		CREATE TRIGGER t AFTER UPDATE ON noted BEGIN INSERT INTO log VALUES (1); END;
		CREATE VIEW v AS SELECT name FROM users`)
	return wrap(t, base, store(t), opts), bare
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	db, bare := lite(t, all)
	const query = "SELECT *, id AS twice, NULL FROM users ORDER BY id"
	want := look(t, bare, query)
	alike(t, "miss", look(t, db, query), want)
	alike(t, "hit", look(t, db, query), want)
	if s := stats(t, db); s.Hits != 1 || s.Misses != 1 {
		t.Fatalf("%+v", s)
	}
	expect(t, db, "miss", "ada", "SELECT name FROM users WHERE id = ?", 1)
	do(t, db, "UPDATE users SET name = 'eve' WHERE id = ?", 1)
	expect(t, db, "miss", "eve", "SELECT name FROM users WHERE id = ?", 1)
	expect(t, db, "miss", "bob; eve", "SELECT name FROM v ORDER BY name")
	expect(t, db, "hit", "bob; eve", "SELECT name FROM v ORDER BY name")
	expect(t, db, "not cacheable", "1", "SELECT random() <> 0 FROM users WHERE id = 1")

	expect(t, db, "miss", "1", "SELECT count(*) FROM orders")
	do(t, db, "DELETE FROM users WHERE id = 1")
	expect(t, db, "miss", "0", "SELECT count(*) FROM orders") // by the cascade
	expect(t, db, "miss", "0", "SELECT count(*) FROM log")
	do(t, db, "UPDATE noted SET n = 2")
	expect(t, db, "miss", "1", "SELECT count(*) FROM log") // by the trigger
	do(t, db, "INSERT OR REPLACE INTO users (id, name) VALUES (2, 'fox')")
	expect(t, db, "miss", "fox", usersQuery)
	expect(t, db, "hit", "fox", usersQuery)
}

func TestSQLiteTransactions(t *testing.T) {
	t.Parallel()
	db, _ := lite(t, all)
	expect(t, db, "miss", "ada; bob", usersQuery)
	tx := within(t, db, func(tx *sql.Tx) {
		do(t, tx, "UPDATE users SET name = 'eve' WHERE id = 1")
		expectIn(t, t.Context(), db, tx, "in a transaction", "eve; bob", usersQuery)
		if got := ask(t, db, usersQuery); got != "ada; bob" {
			t.Errorf("got %q", got)
		}
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "hit", "ada; bob", usersQuery)
	c := pinned(t, db)
	do(t, c, "BEGIN IMMEDIATE")
	do(t, c, "UPDATE users SET name = 'eve' WHERE id = 1")
	do(t, c, "COMMIT")
	expect(t, db, "miss", "eve; bob", usersQuery)
}

func TestSQLiteInMemoryIsNotCached(t *testing.T) {
	t.Parallel()
	db := wrap(t, opener{&sqlite.Driver{}, ":memory:"}, store(t), all)
	db.SetMaxOpenConns(1)
	do(t, db, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
	do(t, db, "INSERT INTO users VALUES (1, 'ada')")
	expect(t, db, "the definitions are not known", "ada", usersQuery)
}

func TestOtherDatabases(t *testing.T) {
	t.Parallel()
	opts := all
	opts.Dialect = sqlcache.Other()
	db, bare := lite(t, opts)
	expect(t, db, "not cacheable", "ada; bob", usersQuery)
	const tagged = "SELECT /* larder: tags=people */ name FROM users ORDER BY id"
	expect(t, db, "miss", "ada; bob", tagged)
	expect(t, db, "hit", "ada; bob", tagged)
	do(t, db, "INSERT INTO orders VALUES (11, 2)")
	expect(t, db, "miss", "ada; bob", tagged)
	do(t, bare, "UPDATE users SET name = 'eve' WHERE id = 1")
	expect(t, db, "hit", "ada; bob", tagged)
	if err := sqlcache.Invalidate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "eve; bob", tagged)
	do(t, db, "UPDATE users SET name = 'fox' WHERE id = 1")
	expect(t, db, "miss", "fox; bob", tagged)
}

func TestWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	c := store(t)
	db, _ := postgresOver(t, c, sqlcache.Options{CacheTimeout: time.Minute, TableTTL: map[string]time.Duration{"orders": -1}})
	ctx := sqlcache.With(t.Context(), sqlcache.Query{Tags: []string{"people"}})
	expect(t, db, "not asked for", "ada; bob", usersQuery)
	expectIn(t, ctx, db, db, "miss", "ada; bob", usersQuery)
	expectIn(t, ctx, db, db, "hit", "ada; bob", usersQuery)
	expectIn(t, sqlcache.Bypass(ctx), db, db, "switched off", "ada; bob", usersQuery)
	if err := larder.InvalidateTags(t.Context(), c, "people"); err != nil {
		t.Fatal(err)
	}
	expectIn(t, ctx, db, db, "miss", "ada; bob", usersQuery)
	const hinted = "/* larder: ttl=30s tags=a,b */ " + usersQuery
	expect(t, db, "miss", "ada; bob", hinted)
	expect(t, db, "hit", "ada; bob", hinted)
	expectIn(t, ctx, db, db, "switched off", "ada; bob", "/* larder: off */ "+usersQuery)
	expectIn(t, ctx, db, db, "a hint that makes no sense", "ada; bob", "/* larder: ttl=soon */ "+usersQuery)
	expectIn(t, ctx, db, db, "a table is excluded", "10", "SELECT min(id) FROM orders")
	x, err := sqlcache.Explain(t.Context(), db, hinted)
	if err != nil || !x.Cached || x.TTL != 30*time.Second || len(x.Tags) != 5 {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err = sqlcache.Explain(t.Context(), db, usersQuery); err != nil || x.Why != "not asked for" {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err = sqlcache.Explain(ctx, db, "SELECT name FROM users WHERE now() > '2000-01-01'"); err != nil || x.Cached || x.Why == "not cacheable" {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	base := opener{&sqlite.Driver{}, ":memory:"}
	for field, opts := range map[string]sqlcache.Options{
		"Namespace":     {Namespace: "a:b"},
		"TTL":           {TTL: 25 * time.Hour},
		"MaxRows":       {MaxRows: -1},
		"MaxBytes":      {MaxBytes: -1},
		"CatalogMaxAge": {CatalogMaxAge: -1},
		`TableTTL["a"]`: {TableTTL: map[string]time.Duration{"a": 1}},
	} {
		_, err := sqlcache.Wrap(base, store(t), opts)
		var wrong *larder.OptionError
		if !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := sqlcache.Wrap(base, nil, sqlcache.Options{}); err == nil {
		t.Error("there is no Redis")
	}
	if _, err := sqlcache.Wrap(nil, store(t), sqlcache.Options{}); err == nil {
		t.Error("there is no database")
	}
	bare := sql.OpenDB(base)
	defer bare.Close()
	if _, err := sqlcache.StatsOf(bare); !errors.Is(err, sqlcache.ErrNotWrapped) {
		t.Errorf("got %v", err)
	}
}

func TestWriteThrough(t *testing.T) {
	t.Parallel()
	c := store(t)
	db, _ := postgresOver(t, c, all)
	users, err := larder.New(c, larder.Options[int64, string]{
		Namespace: "user", TTL: time.Minute,
		Load: func(ctx context.Context, id int64) (name string, err error) {
			return name, db.QueryRowContext(ctx, "SELECT name FROM users WHERE id = $1", id).Scan(&name)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = users.Close() })
	rename := func(name string, fail error) error {
		return sqlcache.WriteThrough(t.Context(), db, users, 1, func(ctx context.Context, tx *sql.Tx) (got string, err error) {
			if err := tx.QueryRowContext(ctx, "UPDATE users SET name = $1 WHERE id = 1 RETURNING name", name).Scan(&got); err != nil {
				return "", err
			}
			return got, fail
		})
	}
	expect(t, db, "miss", "ada; bob", usersQuery)
	if err := rename("eve", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := users.Get(t.Context(), 1); got != "eve" || err != nil || users.Stats().Loads != 0 {
		t.Errorf("got %q, %v, %+v", got, err, users.Stats())
	}
	expect(t, db, "miss", "eve; bob", usersQuery)
	failed := errors.New("no")
	if err := rename("fox", failed); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if got, err := users.Get(t.Context(), 1); got != "eve" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	expect(t, db, "hit", "eve; bob", usersQuery)
}
