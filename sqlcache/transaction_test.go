package sqlcache_test

import (
	"context"
	"database/sql"
	"testing"
)

// within runs fn in a transaction that it leaves open.
func within(t *testing.T, db *sql.DB, fn func(*sql.Tx)) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	fn(tx)
	return tx
}

func TestCommitInvalidates(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	tx := within(t, db, func(tx *sql.Tx) {
		do(t, tx, "UPDATE users SET name = 'eve' WHERE id = 1")
		expectIn(t, t.Context(), db, tx, "in a transaction", "eve; bob", usersQuery)
		expect(t, db, "hit", "ada; bob", usersQuery) // nothing has happened yet
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "eve; bob", usersQuery)
	expect(t, db, "hit", "eve; bob", usersQuery)
}

// A popular cache fills from rolled-back transactions.
func TestRollbackLeavesTheCacheAlone(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	const count = "SELECT count(*) FROM users"
	tx := within(t, db, func(tx *sql.Tx) {
		do(t, tx, "DELETE FROM orders")
		do(t, tx, "DELETE FROM users")
		expectIn(t, t.Context(), db, tx, "in a transaction", "0", count)
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "hit", "ada; bob", usersQuery)
	expect(t, db, "miss", "2", count)
}

func TestSavepointRolledBack(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	tx := within(t, db, func(tx *sql.Tx) {
		do(t, tx, "SAVEPOINT a")
		do(t, tx, "UPDATE users SET name = 'eve' WHERE id = 1")
		do(t, tx, "ROLLBACK TO a")
		do(t, tx, "UPDATE users SET name = 'fox' WHERE id = 2")
		do(t, tx, "RELEASE a")
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "ada; fox", usersQuery)
}

// pinned is one connection of a pool.
func pinned(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestTransactionsByHand(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		statements []string
		from, want string
	}{
		{"commit", []string{"BEGIN", "UPDATE users SET name = 'eve' WHERE id = 1", "COMMIT"}, "miss", "eve; bob"},
		{"end", []string{"START TRANSACTION", "UPDATE users SET name = 'eve' WHERE id = 1", "END"}, "miss", "eve; bob"},
		{"rollback", []string{"BEGIN", "UPDATE users SET name = 'eve' WHERE id = 1", "ROLLBACK"}, "hit", "ada; bob"},
		{"two", []string{"BEGIN", "COMMIT AND CHAIN", "UPDATE users SET name = 'eve' WHERE id = 1", "COMMIT"}, "miss", "eve; bob"},
		{"in one text", []string{"BEGIN; UPDATE users SET name = 'eve' WHERE id = 1; COMMIT"}, "miss", "eve; bob"},
		{"begun in a text", []string{"BEGIN; UPDATE users SET name = 'eve' WHERE id = 1", "SELECT 1", "COMMIT"}, "miss", "eve; bob"},
		{"ended in a text", []string{"BEGIN", "UPDATE users SET name = 'eve' WHERE id = 1", "SELECT 1; COMMIT"}, "miss", "eve; bob"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db, _ := postgres(t, all)
			ask(t, db, usersQuery)
			c := pinned(t, db)
			for i, s := range tc.statements {
				do(t, c, s)
				if i < len(tc.statements)-1 {
					ask(t, db, usersQuery) // fills with what is committed so far
				}
			}
			expect(t, db, tc.from, tc.want, usersQuery)
		})
	}
}

func TestTransactionBegunTwice(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	c := pinned(t, db)
	do(t, c, "BEGIN")
	do(t, c, "UPDATE users SET name = 'eve' WHERE id = 1")
	tx, err := c.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "eve; bob", usersQuery)
}

func TestReadsInATransactionByHandBypass(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	c := pinned(t, db)
	do(t, c, "BEGIN")
	do(t, c, "UPDATE users SET name = 'eve' WHERE id = 1")
	expectIn(t, t.Context(), db, c, "in a transaction", "eve; bob", usersQuery)
	do(t, c, "ROLLBACK")
	expectIn(t, t.Context(), db, c, "hit", "ada; bob", usersQuery)
}

func TestCommitThatFails(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	do(t, db, "ALTER TABLE users ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")
	ask(t, db, usersQuery)
	tx := within(t, db, func(tx *sql.Tx) { do(t, tx, "UPDATE users SET name = 'same'") })
	if err := tx.Commit(); err == nil {
		t.Fatal("the commit succeeds")
	}
	expect(t, db, "miss", "ada; bob", usersQuery)
	expect(t, db, "hit", "ada; bob", usersQuery)
}

func TestTransactionWhoseContextEnds(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE users SET name = 'eve'")
	cancel()
	if err := tx.Commit(); err == nil {
		t.Fatal("the commit succeeds")
	}
	expect(t, db, "hit", "ada; bob", usersQuery)
}

func TestManyRowsInOneTransaction(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	do(t, db, "INSERT INTO users SELECT n, n::text FROM generate_series(100, 1500) n")
	const one = "SELECT name FROM users WHERE id = $1"
	expect(t, db, "miss", "1500", one, 1500)
	tx := within(t, db, func(tx *sql.Tx) {
		s, err := tx.PrepareContext(t.Context(), "UPDATE users SET name = $2 WHERE id = $1")
		if err != nil {
			t.Fatal(err)
		}
		for id := 100; id <= 1500; id++ {
			if _, err := s.ExecContext(t.Context(), id, "new"); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "new", one, 1500)
}

func TestWriteThroughQueryHoldsUntilItsRowsAreClosed(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	ask(t, db, usersQuery)
	rows, err := db.QueryContext(t.Context(), "UPDATE users SET name = 'eve' WHERE id = 1 RETURNING id, name")
	if err != nil {
		t.Fatal(err)
	}
	if types, err := rows.ColumnTypes(); err != nil || types[1].DatabaseTypeName() != "TEXT" {
		t.Errorf("the column types are lost: %v, %v", types, err)
	}
	expect(t, db, "miss", ask(t, bare, usersQuery), usersQuery)
	expect(t, db, "miss", ask(t, bare, usersQuery), usersQuery) // nothing is stored meanwhile
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, db, "miss", "eve; bob", usersQuery)
	expect(t, db, "hit", "eve; bob", usersQuery)
}

func TestReturningThroughQueryRow(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	ask(t, db, usersQuery)
	var id int
	if err := db.QueryRowContext(t.Context(), "INSERT INTO users VALUES (3, 'eve') RETURNING id").Scan(&id); err != nil || id != 3 {
		t.Fatal(id, err)
	}
	expect(t, db, "miss", "ada; bob; eve", usersQuery)
}

// A popular cache stores the result of a statement that deletes, so that the second
// one deletes nothing.
func TestWriteInACTERunsEachTime(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	ask(t, db, "SELECT count(*) FROM orders")
	const pop = "WITH gone AS (DELETE FROM orders WHERE id = (SELECT min(id) FROM orders) RETURNING id) SELECT id FROM gone"
	expect(t, db, "not a read", "10", pop)
	expect(t, db, "miss", "1", "SELECT count(*) FROM orders")
	expect(t, db, "not a read", "11", pop)
	if got := ask(t, bare, "SELECT count(*) FROM orders"); got != "0" {
		t.Errorf("%s orders are left", got)
	}
	expect(t, db, "miss", "0", "SELECT count(*) FROM orders")
}

// A popular cache answers FOR UPDATE without locking anything.
func TestLockingReadsRunEachTime(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	for _, query := range []string{usersQuery + " FOR UPDATE", usersQuery + " FOR SHARE"} {
		expect(t, db, "not cacheable", "ada; bob", query)
		expect(t, db, "not cacheable", "ada; bob", query)
	}
}

func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	read, err := db.PrepareContext(t.Context(), "SELECT name FROM users WHERE id = $1")
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	write, err := db.PrepareContext(t.Context(), "UPDATE users SET name = $2 WHERE id = $1")
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	name := func(from, want string, id int) {
		t.Helper()
		before := stats(t, db)
		var got string
		if err := read.QueryRowContext(t.Context(), id).Scan(&got); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		if after := stats(t, db); (after.Hits > before.Hits) != (from == "hit") {
			t.Errorf("not a %s", from)
		}
	}
	name("miss", "ada", 1)
	name("hit", "ada", 1)
	name("miss", "bob", 2)
	if _, err := write.ExecContext(t.Context(), 1, "eve"); err != nil {
		t.Fatal(err)
	}
	name("miss", "eve", 1)
}
