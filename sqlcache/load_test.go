package sqlcache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/sqlcache"
)

// locked takes a lock that keeps readers of users waiting, and returns what gives it
// back.
func locked(t *testing.T, bare *sql.DB) (unlock func()) {
	t.Helper()
	tx := within(t, bare, func(tx *sql.Tx) { do(t, tx, "LOCK TABLE users IN ACCESS EXCLUSIVE MODE") })
	return func() { _ = tx.Rollback() }
}

// untilWaiting returns when so many backends wait for a lock.
func untilWaiting(t *testing.T, bare *sql.DB, n int) {
	t.Helper()
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
	for ask(t, bare, waiting) != fmt.Sprint(n) {
		if t.Context().Err() != nil {
			t.Fatal("nobody waits")
		}
	}
}

func TestReadersShareALoad(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	ask(t, db, "SELECT count(*) FROM orders") // reads the definitions
	unlock := locked(t, bare)
	defer unlock()
	const readers = 8
	var wg sync.WaitGroup
	answers := make([]string, readers)
	for i := range readers {
		wg.Go(func() { answers[i], _ = try(t.Context(), db, usersQuery) })
	}
	untilWaiting(t, bare, 1)
	unlock()
	wg.Wait()
	for i, a := range answers {
		if a != "ada; bob" {
			t.Errorf("reader %d: %q", i, a)
		}
	}
	if s := stats(t, db); s.Hits != readers-1 {
		t.Errorf("%+v", s)
	}
}

// A caller that goes away must take its connection with it, and must not leave its
// error to those who wait for its load.
func TestCallerLeavesInTheMiddleOfItsLoad(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	ask(t, db, "SELECT count(*) FROM orders")
	unlock := locked(t, bare)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := try(ctx, db, usersQuery)
		first <- err
	}()
	untilWaiting(t, bare, 1)
	second := make(chan string)
	go func() {
		answer, err := try(t.Context(), db, usersQuery)
		second <- fmt.Sprint(answer, err)
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left got %v", err)
	}
	untilWaiting(t, bare, 1)
	unlock()
	if got := <-second; got != "ada; bob<nil>" {
		t.Errorf("the other got %s", got)
	}
}

func TestWaiterLeaves(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	ask(t, db, "SELECT count(*) FROM orders")
	unlock := locked(t, bare)
	defer unlock()
	first := make(chan string)
	go func() {
		answer, err := try(t.Context(), db, usersQuery)
		first <- fmt.Sprint(answer, err)
	}()
	untilWaiting(t, bare, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := try(ctx, db, usersQuery); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	unlock()
	if got := <-first; got != "ada; bob<nil>" {
		t.Errorf("got %s", got)
	}
}

func TestErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	const query = "SELECT 100 / total FROM orders ORDER BY id"
	do(t, db, "INSERT INTO orders VALUES (12, 2, 0)")
	for range 2 {
		_, want := try(t.Context(), bare, query)
		if _, err := try(t.Context(), db, query); err == nil || err.Error() != want.Error() {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	do(t, bare, "DELETE FROM orders WHERE id = 12")
	expect(t, db, "miss", "20; 14", query)
	if _, err := try(t.Context(), db, "SELECT nothing FROM users"); err == nil {
		t.Error("no error")
	}
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT name FROM users WHERE name = 'nobody'").Scan(&name); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("got %v", err)
	}
}

// An error in the middle comes after the same rows as without the cache.
func TestErrorBetweenRows(t *testing.T) {
	t.Parallel()
	db, bare := postgres(t, all)
	do(t, bare, "CREATE TABLE n AS SELECT n FROM generate_series(1, 5000) n")
	const query = "SELECT 1 / (4000 - n) FROM n"
	rows := func(db *sql.DB) string {
		r, err := db.QueryContext(t.Context(), query)
		if err != nil {
			return err.Error()
		}
		defer r.Close()
		n := 0
		for r.Next() {
			n++
		}
		return fmt.Sprint(n, r.Err())
	}
	want := rows(bare)
	for range 2 {
		if got := rows(db); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLargeResultsPass(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]sqlcache.Options{
		"rows":  {All: true, MaxRows: 100, CacheTimeout: time.Minute},
		"bytes": {All: true, MaxBytes: 1000, CacheTimeout: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, bare := postgres(t, opts)
			do(t, bare, "CREATE TABLE n AS SELECT n, repeat('x', 100) AS pad FROM generate_series(1, 5000) n")
			const query = "SELECT n, pad FROM n ORDER BY n"
			want := look(t, bare, query)
			alike(t, "first", look(t, db, query), want)
			alike(t, "second", look(t, db, query), want)
			const few = "SELECT n FROM n WHERE n <= 3 ORDER BY n"
			expect(t, db, "miss", "1; 2; 3", few)
			expect(t, db, "hit", "1; 2; 3", few)
			if s := stats(t, db); s.Misses != 3 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestPoolOfOneConnection(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	db.SetMaxOpenConns(1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if got, err := try(t.Context(), db, usersQuery); got != "ada; bob" || err != nil {
					t.Error(got, err)
				}
				if _, err := db.ExecContext(t.Context(), "UPDATE orders SET total = total + 1"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestServerThatRestarts(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	url := server.Database(t)
	pgtest.Do(t, url, "CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ada')")
	db := wrap(t, connector(t, url), store(t), all)
	expect(t, db, "miss", "ada", usersQuery)
	server.Restart()
	expect(t, db, "hit", "ada", usersQuery)
	do(t, db, "UPDATE users SET name = 'eve'") // database/sql tries again: ErrBadConn
	expect(t, db, "miss", "eve", usersQuery)
}
