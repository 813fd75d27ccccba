package catalog_test

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

//go:embed testdata/sqlite.sql
var sqliteSchema string

// file is a Queryer on an SQLite database in memory.
type file struct{ *sql.DB }

func (f file) QueryText(ctx context.Context, query string) (text string, err error) {
	err = f.QueryRowContext(ctx, query).Scan(&text)
	return text, err
}

func openSQLite(t *testing.T) (file, *catalog.Catalog) {
	t.Helper()
	db, err := sql.Open("sqlite", "file::memory:?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), sqliteSchema); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.LoadSQLite(t.Context(), file{db})
	if err != nil {
		t.Fatal(err)
	}
	return file{db}, c
}

func TestSQLitePlans(t *testing.T) {
	t.Parallel()
	db, c := openSQLite(t)
	for _, test := range []struct{ sql, want string }{
		{`SELECT * FROM plain WHERE id = ?`, "row Plain($1)"},
		{`SELECT * FROM "PLAIN" WHERE "Id" = 007`, "reads Plain"},
		{`SELECT * FROM main.plain WHERE a = 1`, "reads Plain"},
		{`SELECT * FROM typed WHERE id = 1`, "reads typed"},
		{`SELECT * FROM apart WHERE id = 1`, "reads apart"},
		{`SELECT * FROM named WHERE name = 'a'`, "reads named"},
		{`SELECT * FROM paired WHERE x = 1 AND y = 1`, "reads paired"},
		{`UPDATE plain SET a = 3 WHERE id = 1`, "~Plain(1)"},
		{`UPDATE plain SET rowid = 3 WHERE id = 1`, "~Plain"},
		{`UPDATE plain SET "Id" = 3 WHERE id = 1`, "~Plain"},
		{`INSERT INTO plain (id) VALUES (9)`, "+Plain"},
		{`INSERT OR REPLACE INTO plain (id) VALUES (1)`, "~Plain"},
		{`INSERT INTO unique_once VALUES (3, 1)`, "~unique_once"},
		{`UPDATE unique_once SET a = 2 WHERE id = 1`, "~unique_once"},
		{`UPDATE OR REPLACE plain SET a = 2 WHERE id = 1`, "everything schema session"},

		{`DELETE FROM grand WHERE id = 1`, "~child ~grand(1) ~parent"},
		{`UPDATE grand SET id = 3 WHERE id = 1`, "~grand ~parent"},
		{`UPDATE grand SET code = 'c' WHERE id = 1`, "~child ~grand(1) ~parent"},
		{`UPDATE grand SET note = 'c' WHERE id = 1`, "~grand(1)"},
		{`REPLACE INTO grand VALUES (1, 'c', '')`, "~child ~grand ~parent"},
		{`UPDATE doubled SET a = 5 WHERE id = 1`, "~doubled(1) ~follower"},

		{`SELECT * FROM simple`, "reads Plain"},
		{`SELECT * FROM nested`, "reads Plain named"},
		{`SELECT * FROM timed`, ""},
		{`SELECT * FROM sqlite_schema`, ""},
		{`SELECT * FROM words`, ""},
		{`SELECT * FROM nothing`, "outdated"},
		{`INSERT INTO words VALUES ('x')`, "everything"},
		{`SELECT count(*), max(a), lower(b), coalesce(a, 1) FROM plain`, "reads Plain"},
		{`SELECT datetime('now')`, ""},
		{`SELECT random()`, ""},
		{`SELECT last_insert_rowid()`, ""},
		{`SELECT load_extension('x')`, "everything session"},
		{`SELECT made_up(1)`, "everything outdated"},

		{`DELETE FROM audited WHERE id = 1`, "+audit ~audited(1) ~named"},
		{`UPDATE opaque SET a = 1`, "~opaque everything outdated"},
		{`UPDATE simple SET a = 3 WHERE id = 1`, "~Plain"},
	} {
		plan := c.Plan(statement.Analyze(test.sql), nil)
		if got := describe(plan); got != test.want {
			t.Errorf("%s\n got %q (%s)\nwant %q", test.sql, got, plan.Why, test.want)
		}
		if len(plan.Writes) == 0 || plan.Everything {
			continue
		}
		for _, table := range db.try(t, test.sql) {
			if !slices.ContainsFunc(plan.Writes, func(w catalog.Write) bool { return w.Name == table }) {
				t.Errorf("%s changes %s", test.sql, table)
			}
		}
	}
}

// try executes a statement, tells which tables it changed, and takes it back.
func (f file) try(t *testing.T, statement string) (changed []string) {
	t.Helper()
	tx, err := f.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	look := func() (found []string) {
		for table := range strings.FieldsSeq("Plain typed apart named paired grand parent child doubled follower unique_once audit audited opaque") {
			var rows string
			query := fmt.Sprintf("SELECT json_group_array(r) FROM (SELECT %s AS r FROM %s)", columnsOf(t, tx, table), table)
			if err := tx.QueryRowContext(t.Context(), query).Scan(&rows); err != nil {
				t.Fatal(err)
			}
			found = append(found, table+" "+rows)
		}
		return found
	}
	before := look()
	if _, err := tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for i, after := range look() {
		if after != before[i] {
			table, _, _ := strings.Cut(after, " ")
			changed = append(changed, table)
		}
	}
	if len(changed) == 0 {
		t.Errorf("%s changes nothing", statement)
	}
	return changed
}

// columnsOf is an expression of all columns of a table.
func columnsOf(t *testing.T, tx *sql.Tx, table string) (expression string) {
	t.Helper()
	err := tx.QueryRowContext(t.Context(), "SELECT 'json_array(' || group_concat(name) || ')' FROM pragma_table_xinfo(?)", table).Scan(&expression)
	if err != nil {
		t.Fatal(err)
	}
	return expression
}
