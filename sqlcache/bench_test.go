package sqlcache_test

import (
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/sqlcache"
)

// benchQueries are what the benchmarks ask; $1 is a customer.
var benchQueries = []struct{ name, query string }{
	{"key", "SELECT id, name, city FROM customers WHERE id = $1"},
	{"join", `SELECT o.id, p.name, i.quantity FROM orders o
		JOIN items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id
		WHERE o.customer_id = $1 ORDER BY o.id, p.name`},
	{"aggregate", `SELECT p.name, sum(i.quantity), count(*) FROM items i JOIN products p ON p.id = i.product_id
		WHERE i.order_id % 100 = $1 % 100 GROUP BY p.name ORDER BY 2 DESC LIMIT 10`},
}

const (
	benchCustomers = 10_000
	benchSchema    = `
	CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, city text);
	CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL);
	CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);
	CREATE TABLE items (order_id bigint REFERENCES orders, product_id bigint REFERENCES products, quantity int,
		PRIMARY KEY (order_id, product_id));
	INSERT INTO customers SELECT i, 'customer ' || i, 'city ' || i % 50 FROM generate_series(0, 9999) i;
	INSERT INTO products SELECT i, 'product ' || i FROM generate_series(0, 199) i;
	INSERT INTO orders SELECT i, i % 10000 FROM generate_series(0, 29999) i;
	INSERT INTO items SELECT i, (i * 7 + j * 13) % 200, j FROM generate_series(0, 29999) i, generate_series(1, 4) j;
	CREATE INDEX ON orders (customer_id);
	ANALYZE;`
)

// bench opens the database past the wrapper and through it.
func bench(b *testing.B, opts sqlcache.Options) (bare, wrapped *sql.DB) {
	b.Helper()
	url := pgtest.Database(b)
	pgtest.Do(b, url, benchSchema)
	c, err := redisconn.Open(b.Context(), redistest.Start(b).URL(), redisconn.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	config, err := pgx.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	bare = sql.OpenDB(stdlib.GetConnector(*config))
	b.Cleanup(func() { _ = bare.Close() })
	if wrapped, err = sqlcache.OpenDB(stdlib.GetConnector(*config), c, opts); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = wrapped.Close() })
	for _, db := range []*sql.DB{bare, wrapped} {
		db.SetMaxOpenConns(benchCallers)
		db.SetMaxIdleConns(benchCallers)
	}
	return bare, wrapped
}

const benchCallers = 16

// get runs a query and reads all that it brings.
func get(b *testing.B, db *sql.DB, query string, arg int64) error {
	rows, err := db.QueryContext(b.Context(), query, arg)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// BenchmarkHit compares a query that is answered from the process, or from Redis, with
// the same query to PostgreSQL.
func BenchmarkHit(b *testing.B) {
	for name, l1 := range map[string]int64{"process": 0, "redis": -1} {
		bare, wrapped := bench(b, sqlcache.Options{All: true, L1MaxBytes: l1})
		for _, q := range benchQueries {
			b.Run(name+"/"+q.name, func(b *testing.B) {
				const hot = 100
				for i := range int64(hot) {
					if err := get(b, wrapped, q.query, i); err != nil {
						b.Fatal(err)
					}
				}
				sidebyside.Run(b, benchCallers,
					func(i int) error { return get(b, bare, q.query, int64(i%hot)) },
					func(i int) error { return get(b, wrapped, q.query, int64(i%hot)) })
			})
		}
	}
}

// BenchmarkMiss compares a query that looks in the cache, runs and is stored with the
// same query alone. No argument comes twice.
func BenchmarkMiss(b *testing.B) {
	for _, callers := range []int{1, benchCallers} {
		bare, wrapped := bench(b, sqlcache.Options{All: true})
		for _, q := range benchQueries {
			b.Run(fmt.Sprintf("%s/%d", q.name, callers), func(b *testing.B) {
				// Arguments of customers that are not there would bring nothing.
				query := q.query + fmt.Sprintf(" -- %d", b.N)
				sidebyside.Run(b, callers,
					func(i int) error { return get(b, bare, query, int64(i%benchCustomers)) },
					func(int) error {
						n := missed.Add(1)
						if n%benchCustomers == 0 {
							return sqlcache.Invalidate(b.Context(), wrapped)
						}
						return get(b, wrapped, query, n%benchCustomers)
					})
			})
		}
	}
}

var missed atomic.Int64
