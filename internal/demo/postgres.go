package demo

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresSchema holds all that the demo makes on a server.
const postgresSchema = "larder_demo"

//go:embed postgres.sql
var postgresSQL string

const dropSQL = `
	DROP TABLE larder_demo.docs, larder_demo.imports, larder_demo.symbols, larder_demo.packages, larder_demo.revisions;
	DROP SCHEMA larder_demo; -- which somebody else may have put something into`

const (
	maxConnections = 16 // of a pool; an instance has two
	dropTimeout    = 10 * time.Second
)

// postgresConfig reads a URL. What is wrong with it is not said, for that may quote a
// password.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, optionError("Postgres", "not readable", "the URL of a database, postgres://user:password@host:5432/name")
	}
	config.RuntimeParams["search_path"] = postgresSchema
	return config, nil
}

// buildPostgres makes the schema and fills it, in one transaction.
func buildPostgres(ctx context.Context, url, goroot string, progress func(packages int)) (size databaseSize, drop func() error, err error) {
	config, err := postgresConfig(url)
	if err != nil {
		return size, nil, err
	}
	err = connected(ctx, config, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, postgresSQL); err != nil {
				return fmt.Errorf("demo: create the tables: %w", schemaError(err))
			}
			size, err = copyRows(ctx, tx, goroot, progress)
			return err
		})
	})
	if err != nil {
		return size, nil, err
	}
	return size, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
		defer cancel()
		return connected(ctx, config, func(c *pgx.Conn) error {
			if _, err := c.Exec(ctx, dropSQL); err != nil {
				return fmt.Errorf("demo: drop the schema %s: %w", postgresSchema, err)
			}
			return nil
		})
	}, nil
}

func connected(ctx context.Context, config *pgx.ConnConfig, fn func(*pgx.Conn) error) error {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("demo: connect to PostgreSQL: %w", err)
	}
	return errors.Join(fn(c), c.Close(context.WithoutCancel(ctx)))
}

// schemaError says what to do about a schema that is there already.
func schemaError(err error) error {
	const duplicateSchema = "42P06"
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == duplicateSchema {
		return fmt.Errorf("the schema %s exists already and is left alone: another demo uses this database, or one was killed; "+
			"if nobody needs it, DROP SCHEMA %[1]s CASCADE", postgresSchema)
	}
	return err
}

// copyRows fills the tables, and tells the planner of it.
func copyRows(ctx context.Context, tx pgx.Tx, goroot string, progress func(packages int)) (databaseSize, error) {
	rows := map[string][][]any{}
	size, err := fill(ctx, goroot, progress, func(table string, values ...any) error {
		rows[table] = append(rows[table], values)
		return nil
	})
	if err != nil {
		return size, err
	}
	for _, t := range tables {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(rows[t.name])); err != nil {
			return size, fmt.Errorf("demo: fill the database: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, "ANALYZE packages, symbols, docs, imports"); err != nil {
		return size, fmt.Errorf("demo: analyze the database: %w", err)
	}
	return size, nil
}

func openPostgres(url string) (*store, error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	return postgresStore(sql.OpenDB(stdlib.GetConnector(*config))), nil
}

// postgresStore is a store over db, which it owns.
func postgresStore(db *sql.DB) *store {
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	return &store{read: db, write: db, apart: true}
}
