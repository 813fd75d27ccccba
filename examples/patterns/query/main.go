// Query caches what database/sql reads, in one line where the database is opened, and
// drops it when a statement changes a table that it was read from.
//
// The habit it replaces: an ORM's cache option with a list of tables per query, and
// redis.del calls behind the writes. A table that is missing in the list, a view, a
// cascade or a rolled-back transaction leaves old rows behind. Here the statements
// themselves are read, and the database is asked what else they change.
package main

import (
	"context"
	"database/sql"
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
	db, err := sqlcache.OpenDB(connector{filepath.Join(dir, "shop.db")}, c, sqlcache.Options{
		Namespace: "pattern-query",
		All:       true,
		TTL:       5 * time.Minute,
	})
	if err != nil {
		return err
	}
	defer db.Close()
	for _, s := range []string{
		"CREATE TABLE teas (id INTEGER PRIMARY KEY, name TEXT, cents INT)",
		"CREATE TABLE orders (id INTEGER PRIMARY KEY, tea INT REFERENCES teas)",
		"INSERT INTO teas VALUES (1, 'assam', 320), (2, 'sencha', 450)",
	} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	show := func(when string) error {
		var cheapest int
		if err := db.QueryRowContext(ctx, "SELECT min(cents) FROM teas").Scan(&cheapest); err != nil {
			return err
		}
		s, err := sqlcache.StatsOf(db)
		fmt.Printf("%s: %d, from the database %d times, from the cache %d times\n", when, cheapest, s.Misses, s.Hits)
		return err
	}
	if err := show("first"); err != nil {
		return err
	}
	if err := show("again"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO orders (tea) VALUES (1)"); err != nil {
		return err
	}
	if err := show("after an order"); err != nil {
		return err
	}
	if err := discount(ctx, db, false); err != nil {
		return err
	}
	if err := show("after a transaction that was rolled back"); err != nil {
		return err
	}
	if err := discount(ctx, db, true); err != nil {
		return err
	}
	if err := show("after one that was committed"); err != nil {
		return err
	}
	x, err := sqlcache.Explain(ctx, db, "SELECT name FROM teas ORDER BY random()")
	fmt.Println("teas in random order:", x.Why)
	return err
}

// discount makes all teas cheaper, or changes its mind.
func discount(ctx context.Context, db *sql.DB, really bool) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE teas SET cents = cents - 20"); err != nil || !really {
		return tx.Rollback()
	}
	return tx.Commit()
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
