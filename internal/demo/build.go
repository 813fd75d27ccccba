package demo

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"fmt"
	"strings"
)

var (
	//go:embed schema.sql
	schemaSQL string
	//go:embed index.sql
	indexSQL string
)

// databaseSize is how much a database holds when it is new.
type databaseSize struct{ rows, packages int }

// buildDatabase fills a new database at path from the sources under goroot and
// returns how much it holds. progress hears of the packages done so far.
func buildDatabase(ctx context.Context, path, goroot string, progress func(packages int)) (size databaseSize, err error) {
	db, err := openSQLite(path, "journal_mode(wal)", "synchronous(off)")
	if err != nil {
		return size, err
	}
	defer func() {
		if cerr := db.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("demo: close the new database: %w", cerr)
		}
	}()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schemaSQL); err != nil {
		return size, fmt.Errorf("demo: create the tables: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return size, fmt.Errorf("demo: fill the database: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	in, err := newInserter(ctx, tx)
	if err != nil {
		return size, fmt.Errorf("demo: fill the database: %w", err)
	}
	err = parseCorpus(ctx, goroot, func(p sourcePackage) error {
		if err := in.insert(ctx, p); err != nil {
			return fmt.Errorf("demo: insert package %s: %w", p.path, err)
		}
		progress(int(in.packages))
		return nil
	})
	if err != nil {
		return size, err
	}
	if err := tx.Commit(); err != nil {
		return size, fmt.Errorf("demo: fill the database: %w", err)
	}
	if _, err := db.ExecContext(ctx, indexSQL); err != nil {
		return size, fmt.Errorf("demo: create the indexes: %w", err)
	}
	return databaseSize{rows: in.rows, packages: int(in.packages)}, nil
}

// inserter writes packages within one transaction. It numbers rows itself, so
// that nothing is read back.
type inserter struct {
	pkg, symbol, doc, imp *sql.Stmt

	rows     int
	packages int64
	symbols  int64
}

func newInserter(ctx context.Context, tx *sql.Tx) (*inserter, error) {
	in := &inserter{}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&in.pkg, `INSERT INTO packages (id, path, name, synopsis, files) VALUES (?, ?, ?, ?, ?)`},
		{&in.symbol, `INSERT INTO symbols (id, package_id, kind, name, word, decl, synopsis) VALUES (?, ?, ?, ?, ?, ?, ?)`},
		{&in.doc, `INSERT INTO docs (package_id, symbol_id, text) VALUES (?, ?, ?)`},
		{&in.imp, `INSERT INTO imports (package_id, path) VALUES (?, ?)`},
	} {
		stmt, err := tx.PrepareContext(ctx, s.text)
		if err != nil {
			return nil, err
		}
		*s.stmt = stmt
	}
	return in, nil
}

func (in *inserter) insert(ctx context.Context, p sourcePackage) error {
	exec := func(stmt *sql.Stmt, args ...any) error {
		in.rows++
		_, err := stmt.ExecContext(ctx, args...)
		return err
	}
	in.packages++
	id := in.packages
	if err := exec(in.pkg, id, p.path, p.name, synopsis(p.doc), p.files); err != nil {
		return err
	}
	if p.doc != "" {
		if err := exec(in.doc, id, nil, p.doc); err != nil {
			return err
		}
	}
	for _, path := range p.imports {
		if err := exec(in.imp, id, path); err != nil {
			return err
		}
	}
	for _, s := range p.symbols {
		in.symbols++
		if err := exec(in.symbol, in.symbols, id, s.kind, s.name, searchWord(s.name), s.decl, synopsis(s.doc)); err != nil {
			return err
		}
		if s.doc == "" {
			continue
		}
		if err := exec(in.doc, id, in.symbols, s.doc); err != nil {
			return err
		}
	}
	return nil
}

// searchWord is what a search for name compares with: its last part, in lower
// case.
func searchWord(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}
