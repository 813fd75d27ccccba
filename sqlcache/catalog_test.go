package sqlcache_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/sqlcache"
)

// A popular cache knows neither views nor CTEs nor cascades.
func TestTablesThatAreNotNamed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ define, query, write string }{
		"view":            {"CREATE VIEW v AS SELECT name FROM users", "SELECT * FROM v ORDER BY 1", "UPDATE users SET name = 'eve'"},
		"view of a view":  {"CREATE VIEW v AS SELECT * FROM users; CREATE VIEW w AS SELECT name FROM v", "SELECT * FROM w ORDER BY 1", "UPDATE users SET name = 'eve'"},
		"CTE":             {"", "WITH u AS (SELECT * FROM users) SELECT name FROM u ORDER BY 1", "UPDATE users SET name = 'eve'"},
		"subquery":        {"", "SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE active)", "UPDATE users SET active = false"},
		"cascade":         {"", "SELECT count(*) FROM orders", "DELETE FROM users WHERE id = 1"},
		"trigger":         {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = 0; RETURN NEW; END $$; CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()", "SELECT total FROM orders", "UPDATE users SET name = 'eve' WHERE id = 1"},
		"rule":            {"CREATE RULE r AS ON UPDATE TO users DO ALSO UPDATE orders SET total = 0", "SELECT total FROM orders", "UPDATE users SET name = 'eve' WHERE id = 1"},
		"partition":       {"CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)", "SELECT count(*) FROM p", "INSERT INTO p1 VALUES (1)"},
		"function writes": {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM orders RETURNING 1 $$", "SELECT count(*) FROM orders", "SELECT f()"},
		"truncate":        {"", "SELECT count(*) FROM orders", "TRUNCATE orders"},
		"do":              {"", "SELECT count(*) FROM orders", "DO $$ BEGIN DELETE FROM orders; END $$"},
		"upsert":          {"", "SELECT name FROM users WHERE id = 1", "INSERT INTO users VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'eve'"},
		"update from":     {"", "SELECT name FROM users WHERE id = 1", "UPDATE users SET name = 'eve' FROM orders WHERE orders.user_id = users.id"},
		"merge":           {"", "SELECT name FROM users WHERE id = 1", "MERGE INTO users USING orders ON orders.user_id = users.id WHEN MATCHED THEN UPDATE SET name = 'eve'"},
		"alter":           {"", "SELECT total FROM orders ORDER BY id", "ALTER TABLE orders ALTER total TYPE int USING total + 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, bare := postgres(t, all)
			if tc.define != "" {
				do(t, bare, tc.define)
			}
			before := ask(t, bare, tc.query)
			reader := pinned(t, db) // what changes definitions may change its session too
			expectIn(t, t.Context(), db, reader, "miss", before, tc.query)
			expectIn(t, t.Context(), db, reader, "hit", before, tc.query)
			do(t, db, tc.write)
			after := ask(t, bare, tc.query)
			if before == after {
				t.Fatal("the write changes nothing")
			}
			expectIn(t, t.Context(), db, reader, "miss", after, tc.query)
		})
	}
}

func TestNotCacheable(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	do(t, bare, "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM users")
	for _, query := range []string{
		"SELECT now()::text <> '' FROM users WHERE id = 1",
		"SELECT CURRENT_DATE > '2000-01-01' FROM users WHERE id = 1",
		"SELECT random() < 2 FROM users WHERE id = 1",
		"SELECT relname = 'users' FROM pg_class WHERE relname = 'users'",
		"SELECT true",
		"SELECT 'now'::date > '2000-01-01' FROM users WHERE id = 1",
	} {
		expect(t, db, "not cacheable", "true", query)
		expect(t, db, "not cacheable", "true", query)
	}
}

func TestRowsAreToldApart(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	const one = "SELECT name FROM users WHERE id = $1"
	expect(t, db, "miss", "ada", one, 1)
	expect(t, db, "miss", "bob", one, 2)
	do(t, db, "UPDATE users SET name = 'eve' WHERE id = $1", 1)
	expect(t, db, "hit", "bob", one, 2)
	expect(t, db, "miss", "eve", one, 1)
	do(t, db, "UPDATE users SET name = 'fox' WHERE id = '2'")
	expect(t, db, "hit", "eve", one, 1)
	expect(t, db, "miss", "fox", one, 2)
	do(t, db, "INSERT INTO users VALUES (3, 'new')")
	expect(t, db, "hit", "eve", one, 1)
	do(t, db, "UPDATE users SET name = 'gnu'")
	expect(t, db, "miss", "gnu", one, 1)
	// Nobody would be told that there is one now.
	expect(t, db, "miss", "", one, 4)
	do(t, db, "INSERT INTO users VALUES (4, 'late')")
	expect(t, db, "miss", "late", one, 4)
}

func TestArgumentsAreToldApart(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	const query = "SELECT count(*) FROM users WHERE name = $1::text"
	expect(t, db, "miss", "1", query, "ada")
	expect(t, db, "hit", "1", query, "ada")
	expect(t, db, "miss", "0", query, "Ada")
	expect(t, db, "miss", "1", query, sql.NullString{String: "ada", Valid: true})
	expect(t, db, "miss", "0", query, sql.NullString{})
	expect(t, db, "miss", "0", query, nil)
	expect(t, db, "an argument that cannot be compared", "0", query, "now")
	const list = "SELECT count(*) FROM users WHERE name = ANY($1)"
	expect(t, db, "miss", "2", list, []string{"ada", "bob"})
	expect(t, db, "hit", "2", list, []string{"ada", "bob"})
	expect(t, db, "miss", "0", list, []string{"adabob"})
}

// processes opens a database as two processes do that share a Redis.
func processes(t *testing.T, opts sqlcache.Options) (a, b *sql.DB, url string) {
	t.Helper()
	url = pgtest.Database(t)
	pgtest.Do(t, url, `CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);
		CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total int);
		INSERT INTO users VALUES (1, 'ada'), (2, 'bob'); INSERT INTO orders VALUES (10, 1, 5)`)
	server := redisServer(t)
	return wrap(t, connector(t, url), server(), opts), wrap(t, connector(t, url), server(), opts), url
}

func TestProcessesShareAndObey(t *testing.T) {
	t.Parallel()
	a, b, _ := processes(t, sqlcache.Options{All: true, L1MaxBytes: -1, CacheTimeout: time.Minute})
	expect(t, a, "miss", "ada; bob", usersQuery)
	expect(t, b, "hit", "ada; bob", usersQuery)
	do(t, b, "UPDATE users SET name = 'eve' WHERE id = 1")
	expect(t, a, "miss", "eve; bob", usersQuery)
	expect(t, b, "hit", "eve; bob", usersQuery)
}

func TestDefinitionsChangedByAnotherProcess(t *testing.T) {
	t.Parallel()
	a, b, _ := processes(t, sqlcache.Options{All: true, L1MaxBytes: -1, CacheTimeout: time.Minute})
	const orders = "SELECT total FROM orders"
	expect(t, a, "miss", "5", orders)
	do(t, b, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = total + 1; RETURN NEW; END $$")
	do(t, b, "CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
	expect(t, b, "miss", "5", orders)
	untilKnown(t, a, "UPDATE users SET name = 'x' WHERE id = 1", "public.orders")
	do(t, a, "UPDATE users SET name = 'eve' WHERE id = 1")
	expect(t, b, "miss", "6", orders)
}

// A write that was judged before a trigger came, and sets it off.
func TestDefinitionsChangedUnderAWrite(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	do(t, bare, `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock(1); UPDATE orders SET total = total + 1; RETURN NEW; END $$`)
	const orders = "SELECT total FROM orders ORDER BY id"
	expect(t, db, "miss", "5; 7", orders)
	ddl := within(t, db, func(tx *sql.Tx) { do(t, tx, "LOCK TABLE users") })
	brake := within(t, bare, func(tx *sql.Tx) { do(t, tx, "SELECT pg_advisory_xact_lock(1)") })
	written := make(chan error)
	go func() {
		_, err := db.ExecContext(t.Context(), "UPDATE users SET name = 'eve' WHERE id = 1")
		written <- err
	}()
	untilWaiting(t, bare, 1)
	do(t, ddl, "CREATE TRIGGER t AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()")
	if err := ddl.Commit(); err != nil {
		t.Fatal(err)
	}
	untilWaiting(t, bare, 1) // now for the brake
	expect(t, db, "miss", "5; 7", orders)
	expect(t, db, "hit", "5; 7", orders)
	if err := brake.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "6; 8", orders)
}
