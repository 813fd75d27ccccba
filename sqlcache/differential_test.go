package sqlcache_test

import (
	"context"
	"database/sql"
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/sqlcache"
)

var rounds = flag.Int("rounds", 200, "how many statements and transactions each sequence of TestDifferential has")

//go:embed testdata/differential.sql
var differentialSchema string

// reads and writes of the schema: %i is the number of something that may exist, %n any
// number, %s a code; they become parameters.
var (
	differentialReads = []string{
		"SELECT * FROM authors WHERE id = %i",
		"SELECT title, price FROM books WHERE id = %i",
		"SELECT price FROM books b WHERE %i = b.id AND price > %n",
		"SELECT count(*) FROM books WHERE id = %i",
		"SELECT n FROM codes WHERE code = %s",
		"SELECT label FROM labels WHERE book_id = %i AND label = 'l1'",
		"SELECT label FROM labels WHERE book_id = %i ORDER BY label",
		"SELECT id, name, books FROM authors ORDER BY id",
		"SELECT id, price FROM books WHERE author_id = %i ORDER BY id",
		"SELECT a.name, b.title, l.label FROM authors a JOIN books b ON b.author_id = a.id LEFT JOIN labels l ON l.book_id = b.id ORDER BY 1, 2, 3",
		"SELECT author_id, count(*), sum(price) FROM books GROUP BY author_id HAVING count(*) > 1 ORDER BY author_id",
		"SELECT id FROM authors a WHERE EXISTS (SELECT 1 FROM books b WHERE b.author_id = a.id AND b.price > %n) ORDER BY id",
		"WITH dear AS (SELECT * FROM books WHERE price > %n) SELECT d.id, a.name FROM dear d JOIN authors a ON a.id = d.author_id ORDER BY 1",
		"SELECT id FROM books WHERE price < %n UNION SELECT id FROM authors ORDER BY 1",
		"SELECT id, rank() OVER (PARTITION BY author_id ORDER BY price, id) FROM books ORDER BY id",
		"SELECT * FROM cheap ORDER BY id LIMIT 5",
		"SELECT title FROM cheap WHERE id = %i",
		"SELECT * FROM per_author ORDER BY id",
		"SELECT * FROM log ORDER BY id, area",
		"SELECT n FROM log WHERE id = %i AND area = 1",
		"SELECT id, n FROM log_a ORDER BY id",
		"SELECT n FROM log_b WHERE id = %i",
		"SELECT (SELECT max(price) FROM books), %n::int",
		"SELECT id FROM books WHERE id IN (%i, %i, %i) ORDER BY id",
		"SELECT id FROM books WHERE id = %i FOR UPDATE",
		"SELECT nonsense FROM books",
	}
	differentialWrites = []string{
		"INSERT INTO authors (id, name) VALUES (%i, 'author ' || %n::text)",
		"INSERT INTO books VALUES (%i, %i, 'new', %n)",
		"INSERT INTO books SELECT id + 20, author_id, title, price FROM books WHERE id < %i RETURNING id",
		"INSERT INTO labels VALUES (%i, 'l' || %i::text) ON CONFLICT DO NOTHING",
		"INSERT INTO codes VALUES (%s, %n) ON CONFLICT (code) DO UPDATE SET n = codes.n + 1 RETURNING *",
		"INSERT INTO log VALUES (%i, %i % 4, %n)",
		"INSERT INTO log_b VALUES (%i, 2, %n)",
		"UPDATE books SET price = price + 1 WHERE id = %i RETURNING price",
		"UPDATE books SET price = %n WHERE id = %i",
		"UPDATE books SET price = price - %n WHERE author_id = %i",
		"UPDATE books SET author_id = %i WHERE id = %i",
		"UPDATE books SET id = id + 100 WHERE id = %i",
		"UPDATE authors SET id = %i WHERE id = %i",
		"UPDATE authors a SET name = name || 'x' FROM books b WHERE b.author_id = a.id AND b.id = %i",
		"UPDATE codes SET n = %n WHERE code = %s",
		"UPDATE cheap SET title = title || '!' WHERE id = %i",
		"UPDATE log SET area = %i % 4 WHERE id = %i",
		"DELETE FROM books WHERE id = %i",
		"DELETE FROM books WHERE price > 90 RETURNING id",
		"DELETE FROM authors WHERE id = %i",
		"DELETE FROM codes WHERE code = %s",
		"DELETE FROM log WHERE id = %i",
		"DELETE FROM log_a WHERE n = %i",
		"WITH gone AS (DELETE FROM labels WHERE book_id = %i RETURNING *) INSERT INTO codes SELECT label || book_id, 1 FROM gone ON CONFLICT DO NOTHING",
		"WITH u AS (UPDATE books SET price = 1 WHERE id = %i RETURNING id) SELECT id FROM u",
		"MERGE INTO codes c USING (SELECT 'c' || id AS code FROM authors) s ON c.code = s.code WHEN MATCHED THEN UPDATE SET n = n + 1 WHEN NOT MATCHED THEN INSERT VALUES (s.code, 0)",
		"SELECT raise_prices(1)",
		"DO $$ BEGIN UPDATE authors SET books = 0; END $$",
		"TRUNCATE labels",
		"CREATE OR REPLACE VIEW cheap AS SELECT id, author_id, title, price FROM books WHERE price < 50 AND id % 2 = 0",
		"CREATE OR REPLACE VIEW cheap AS SELECT id, author_id, title, price FROM books WHERE price < 50",
		"ALTER TABLE codes ALTER n SET DEFAULT 7",
		"INSERT INTO books SELECT i, 1, 'again', i FROM generate_series(%i, 20) i ON CONFLICT DO NOTHING",
		"INSERT INTO authors (id, name) SELECT i, 'again ' || i FROM generate_series(1, 6) i ON CONFLICT DO NOTHING",
	}
)

// fill makes parameters of the marks in a template.
func fill(rng *rand.Rand, template string) (query string, args []any) {
	parts := strings.Split(template, "%")
	var b strings.Builder
	b.WriteString(parts[0])
	for _, part := range parts[1:] {
		switch {
		case strings.HasPrefix(part, "i"):
			args = append(args, int64(rng.IntN(12)))
		case strings.HasPrefix(part, "n"):
			args = append(args, int64(rng.IntN(100)))
		case strings.HasPrefix(part, "s"):
			args = append(args, fmt.Sprintf("c%d", rng.IntN(8)))
		default: // the operator
			b.WriteString("%" + part)
			continue
		}
		fmt.Fprintf(&b, "$%d%s", len(args), part[1:])
	}
	return b.String(), args
}

// The same statements, transactions, savepoints and rollbacks go to two databases: to one
// through the wrapper, by two processes in turn, to the other past it. Their answers are
// the same, errors included. Several pairs of databases share a Redis.
func TestDifferential(t *testing.T) {
	t.Parallel()
	c := store(t)
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := differential{t: t, rng: rand.New(rand.NewPCG(seed, 0))}
			urls := [2]string{pgtest.Database(t), pgtest.Database(t)}
			for _, url := range urls {
				pgtest.Do(t, url, differentialSchema)
			}
			for i := range d.wrapped {
				d.wrapped[i] = wrap(t, connector(t, urls[0]), c, sqlcache.Options{All: true, CacheTimeout: 30 * time.Second})
			}
			d.bare = sql.OpenDB(connector(t, urls[1]))
			t.Cleanup(func() { _ = d.bare.Close() })
			for range *rounds {
				if d.round(); t.Failed() {
					break
				}
			}
			one, two := stats(t, d.wrapped[0]), stats(t, d.wrapped[1])
			t.Logf("%d reads, %d of them from the cache, %d writes, %d reads behind the other process for up to %v",
				d.reads, one.Hits+two.Hits, one.Writes+two.Writes, d.behind, d.longest)
			if one.Hits+two.Hits < uint64(d.reads/10) || one.Failures+two.Failures > 0 {
				t.Errorf("%+v, %+v", one, two)
			}
		})
	}
}

type differential struct {
	t             *testing.T
	rng           *rand.Rand
	wrapped       [2]*sql.DB
	bare          *sql.DB
	reads, behind int
	longest       time.Duration
}

// round runs one transaction, or writes something or nothing, and reads then.
func (d *differential) round() {
	db := d.wrapped[d.rng.IntN(2)]
	switch n := d.rng.IntN(10); {
	case n < 3:
		d.same(db, d.bare, d.pick(differentialWrites), false)
	case n < 5:
		d.transact(db)
	}
	for range 8 {
		d.reads++
		d.same(d.wrapped[d.rng.IntN(2)], d.bare, d.pick(differentialReads), true)
	}
}

func (d *differential) pick(templates []string) string { return templates[d.rng.IntN(len(templates))] }

func (d *differential) transact(db *sql.DB) {
	wrapped, err := db.BeginTx(d.t.Context(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	bare, err := d.bare.BeginTx(d.t.Context(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	for range 1 + d.rng.IntN(4) {
		switch d.rng.IntN(5) {
		case 0:
			d.same(wrapped, bare, "SAVEPOINT s", false)
		case 1:
			d.same(wrapped, bare, "ROLLBACK TO SAVEPOINT s", false)
		case 2:
			d.same(wrapped, bare, d.pick(differentialReads), false)
		default:
			d.same(wrapped, bare, d.pick(differentialWrites), false)
		}
	}
	if d.rng.IntN(3) == 0 {
		d.agree("ROLLBACK", fmt.Sprint(wrapped.Rollback()), fmt.Sprint(bare.Rollback()))
	} else {
		d.agree("COMMIT", fmt.Sprint(wrapped.Commit()), fmt.Sprint(bare.Commit()))
	}
}

// same runs a statement on both sides. What one process has written the other may learn
// a push later.
func (d *differential) same(wrapped, bare querier, template string, patient bool) {
	d.t.Helper()
	query, args := fill(d.rng, template)
	want := d.answer(bare, query, args)
	got := d.answer(wrapped, query, args)
	for start := time.Now(); patient && got != want && time.Since(start) < larder.DefaultStalenessBound; {
		d.behind++
		got = d.answer(wrapped, query, args)
		d.longest = max(d.longest, time.Since(start))
	}
	d.agree(fmt.Sprint(query, " ", args), got, want)
}

// answer is what a statement brings, in any order unless it names one.
func (d *differential) answer(q querier, query string, args []any) string {
	answer, err := try(context.WithoutCancel(d.t.Context()), q, query, args...)
	if err != nil {
		return err.Error()
	}
	if !strings.Contains(query, "ORDER BY") {
		lines := strings.Split(answer, "; ")
		slices.Sort(lines)
		answer = strings.Join(lines, "; ")
	}
	return answer
}

func (d *differential) agree(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}
