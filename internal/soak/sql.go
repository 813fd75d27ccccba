package soak

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/larder-go/larder/sqlcache"
)

// sqlRows is how many rows the table has.
const sqlRows = 50

// database is where the queries of sqlcache go.
type database struct {
	// connector opens connections to it.
	connector func() (driver.Connector, error)
	what      string // for the report
	schema    string // to be dropped at the end; "" for a file
}

// openDatabase names a database: PostgreSQL where there is a URL, else a file in dir.
func openDatabase(postgres, dir, id string) (database, error) {
	if postgres == "" {
		query := url.Values{"_pragma": {"busy_timeout(20000)", "journal_mode(wal)", "synchronous(off)"}, "_txlock": {"immediate"}}
		u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(dir, "soak.sqlite"), RawQuery: query.Encode()}
		return database{what: "SQLite", connector: func() (driver.Connector, error) {
			return sqliteConnector{&sqlite.Driver{}, u.String()}, nil
		}}, nil
	}
	config, err := pgx.ParseConfig(postgres)
	if err != nil { // which may quote a password
		return database{}, optionError("Postgres", "not readable", "the URL of a database, postgres://user:password@host:5432/name")
	}
	schema := "larder_soak_" + id
	config.RuntimeParams["search_path"] = schema
	return database{what: "PostgreSQL", schema: schema, connector: func() (driver.Connector, error) {
		return stdlib.GetConnector(*config), nil
	}}, nil
}

// sqliteConnector is what package sqlite lacks.
type sqliteConnector struct {
	driver *sqlite.Driver
	name   string
}

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.name) }
func (c sqliteConnector) Driver() driver.Driver                        { return c.driver }

// build makes the table. drop removes what is not in a file.
func (d database) build(ctx context.Context) (drop func(context.Context) error, err error) {
	base, err := d.connector()
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(base)
	defer func() { err = errors.Join(err, db.Close()) }()
	drop = func(context.Context) error { return nil }
	if d.schema != "" {
		if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+d.schema); err != nil {
			return nil, fmt.Errorf("soak: create the schema: %w", err)
		}
		drop = func(ctx context.Context) error {
			db := sql.OpenDB(base)
			_, err := db.ExecContext(ctx, "DROP SCHEMA "+d.schema+" CASCADE")
			return errors.Join(err, db.Close())
		}
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price bigint NOT NULL)"); err != nil {
		return nil, errors.Join(fmt.Errorf("soak: create the table: %w", err), drop(ctx))
	}
	for id := range sqlRows {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO products VALUES (%d, 'product %d', %d)", id, id, id%50)); err != nil {
			return nil, errors.Join(fmt.Errorf("soak: fill the table: %w", err), drop(ctx))
		}
	}
	return drop, nil
}

// queries reads and writes through package sqlcache.
type queries struct {
	db *sql.DB
}

func openSQL(ctx context.Context, e *env) (load, error) {
	db, err := e.openSQL()
	if err != nil {
		return nil, err
	}
	l := queries{db}
	// The generations of rows live longer than a short run. There are as many as
	// there will ever be once each row was written.
	for id := range sqlRows {
		if err := l.reprice(ctx, id, id%50); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return l, nil
}

func (e *env) openSQL() (*sql.DB, error) {
	base, err := e.sql.connector()
	if err != nil {
		return nil, err
	}
	db, err := sqlcache.OpenDB(base, e.conn, sqlcache.Options{
		Namespace: e.id + "-sql", All: true, TTL: lifetime / 2, L1MaxBytes: 1 << 20, CacheTimeout: patience,
	})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2 * workers)
	db.SetConnMaxLifetime(lifetime)
	return db, nil
}

func (l queries) close() error { return l.db.Close() }

func (l queries) step(ctx context.Context, rng *rand.Rand) error {
	id := rng.IntN(sqlRows)
	switch n := rng.IntN(100); {
	case n < 60:
		return l.one(ctx, id)
	case n < 80:
		return l.some(ctx, rng.IntN(50))
	case n < 90:
		return l.reprice(ctx, id, rng.IntN(50))
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE products SET name = 'product %d' WHERE id = %d", id, id)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if rng.IntN(2) == 0 {
		return tx.Rollback()
	}
	return tx.Commit()
}

func (l queries) reprice(ctx context.Context, id, price int) error {
	_, err := l.db.ExecContext(ctx, fmt.Sprintf("UPDATE products SET price = %d WHERE id = %d", price, id))
	return err
}

func (l queries) one(ctx context.Context, id int) error {
	var name string
	err := l.db.QueryRowContext(ctx, fmt.Sprintf("SELECT name FROM products WHERE id = %d", id)).Scan(&name)
	if want := fmt.Sprintf("product %d", id); err == nil && name != want {
		return wrong("a name", name, want)
	}
	return err
}

func (l queries) some(ctx context.Context, price int) error {
	rows, err := l.db.QueryContext(ctx, fmt.Sprintf("SELECT id, name FROM products WHERE price = %d ORDER BY id", price))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
	}
	return rows.Err()
}
