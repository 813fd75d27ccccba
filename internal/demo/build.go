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
	statements := map[string]*sql.Stmt{}
	for _, t := range tables {
		if statements[t.name], err = tx.PrepareContext(ctx, t.insertion()); err != nil {
			return size, fmt.Errorf("demo: fill the database: %w", err)
		}
	}
	size, err = fill(ctx, goroot, progress, func(table string, values ...any) error {
		_, err := statements[table].ExecContext(ctx, values...)
		return err
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
	return size, nil
}

// table is one that is filled from the sources.
type table struct {
	name    string
	columns []string
}

// tables are in the order in which their rows may refer to each other.
var tables = []table{
	{"packages", []string{"id", "path", "name", "synopsis", "files"}},
	{"symbols", []string{"id", "package_id", "kind", "name", "word", "decl", "synopsis"}},
	{"docs", []string{"package_id", "symbol_id", "text"}},
	{"imports", []string{"package_id", "path"}},
}

func (t table) insertion() string {
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", t.name, strings.Join(t.columns, ", "), strings.Repeat(", ?", len(t.columns)-1))
}

// inserter gives packages to insert, row by row. It numbers rows itself, so that
// nothing is read back.
type inserter struct {
	insert func(table string, values ...any) error

	rows     int
	packages int64
	symbols  int64
}

// fill inserts what the sources under goroot hold, and returns how much that is.
func fill(ctx context.Context, goroot string, progress func(packages int), insert func(table string, values ...any) error) (databaseSize, error) {
	in := inserter{insert: insert}
	err := parseCorpus(ctx, goroot, func(p sourcePackage) error {
		if err := in.add(p); err != nil {
			return fmt.Errorf("demo: insert package %s: %w", p.path, err)
		}
		progress(int(in.packages))
		return nil
	})
	return databaseSize{rows: in.rows, packages: int(in.packages)}, err
}

func (in *inserter) row(table string, values ...any) error {
	in.rows++
	return in.insert(table, values...)
}

func (in *inserter) add(p sourcePackage) error {
	in.packages++
	id := in.packages
	if err := in.row("packages", id, p.path, p.name, synopsis(p.doc), p.files); err != nil {
		return err
	}
	if p.doc != "" {
		if err := in.row("docs", id, nil, p.doc); err != nil {
			return err
		}
	}
	for _, path := range p.imports {
		if err := in.row("imports", id, path); err != nil {
			return err
		}
	}
	for _, s := range p.symbols {
		in.symbols++
		if err := in.row("symbols", in.symbols, id, s.kind, s.name, searchWord(s.name), s.decl, synopsis(s.doc)); err != nil {
			return err
		}
		if s.doc == "" {
			continue
		}
		if err := in.row("docs", id, in.symbols, s.doc); err != nil {
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
