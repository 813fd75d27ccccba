// Query caches what database/sql reads, in one line where the database is opened, and
// drops it when a statement changes a table that it was read from.
//
// The habit it replaces: a list of tables per query, and redis.del calls behind the
// writes. A table that is missing in the list, or a view, leaves old rows behind.
package main

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"github.com/larder-go/larder/examples/patterns/internal/server"
	"github.com/larder-go/larder/sqlcache"
)

// connector opens an SQLite file. With PostgreSQL it is stdlib.GetConnector(config).
type connector struct{ file string }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.file) }
func (connector) Driver() driver.Driver                          { return &sqlite.Driver{} }

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	dir, err := os.MkdirTemp("", "query")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sqlcache.OpenDB(connector{filepath.Join(dir, "shop.db")}, c,
		sqlcache.Options{Namespace: "pattern-query", All: true, TTL: 5 * time.Minute})
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx) // a transaction by hand needs one; others use db
	if err != nil {
		return err
	}
	defer conn.Close()
	const discount = "UPDATE teas SET cents = cents - 20"
	for _, step := range []struct {
		when       string
		statements []string
	}{
		{"first", []string{
			"CREATE TABLE teas (id INTEGER PRIMARY KEY, name TEXT, cents INT)",
			"CREATE TABLE orders (id INTEGER PRIMARY KEY, tea INT)",
			"INSERT INTO teas VALUES (1, 'assam', 320), (2, 'sencha', 450)",
		}},
		{"again", nil},
		{"after an order", []string{"INSERT INTO orders (tea) VALUES (1)"}},
		{"after a transaction that was rolled back", []string{"BEGIN", discount, "ROLLBACK"}},
		{"after one that was committed", []string{"BEGIN", discount, "COMMIT"}},
	} {
		for _, statement := range step.statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		var cheapest int
		if err := conn.QueryRowContext(ctx, "SELECT min(cents) FROM teas").Scan(&cheapest); err != nil {
			return err
		}
		s, err := sqlcache.StatsOf(db)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d, from the database %d times, from the cache %d times\n", step.when, cheapest, s.Misses, s.Hits)
	}
	x, err := sqlcache.Explain(ctx, db, "SELECT name FROM teas ORDER BY random()")
	fmt.Println("teas in random order:", x.Why)
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
