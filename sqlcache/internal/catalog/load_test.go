package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// answer is a Queryer with one answer.
type answer struct {
	text string
	err  error
}

func (a answer) QueryText(context.Context, string) (string, error) { return a.text, a.err }

func TestLoadFails(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	many := `{"rules": [1` + strings.Repeat(",1", catalog.MaxObjects) + `]}`
	for _, test := range []struct {
		answer
		want string
	}{
		{answer{err: gone}, "catalog: gone"},
		{answer{text: "{"}, "catalog: the database's answer: unexpected end of JSON input"},
		{answer{text: many}, "catalog: the database has more than 20000 rules"},
	} {
		_, err := catalog.Load(t.Context(), test.answer)
		if err == nil || err.Error() != test.want || test.err != nil && !errors.Is(err, test.err) {
			t.Errorf("Load = %v, want %s", err, test.want)
		}
	}
}

// TestHidden is apart from the other plans, since a database with such a thing can
// vouch for nothing.
func TestHiddenCallsVouchForNothing(t *testing.T) {
	t.Parallel()
	const function = `
		CREATE TABLE plain (id integer PRIMARY KEY, at date);
		CREATE FUNCTION spy(integer, date) RETURNS boolean LANGUAGE sql AS 'INSERT INTO plain VALUES ($1, $2); SELECT true';
		CREATE FUNCTION spy(integer) RETURNS boolean LANGUAGE sql AS 'INSERT INTO plain VALUES ($1); SELECT true';
		CREATE TYPE mood AS ENUM ('sad');
		CREATE FUNCTION told(mood) RETURNS integer LANGUAGE sql AS 'INSERT INTO plain VALUES (1); SELECT 1';
	`
	for what, definition := range map[string]string{
		"":                         "",
		"a cast calls told":        "CREATE CAST (mood AS integer) WITH FUNCTION told(mood) AS IMPLICIT",
		"the operator < calls spy": "CREATE OPERATOR < (LEFTARG = integer, RIGHTARG = date, FUNCTION = spy)",
		"the domain odd calls spy": "CREATE DOMAIN odd AS integer CHECK (spy(VALUE))",
	} {
		c := load(t, function+definition)
		p := c.Plan(statement.Analyze("SELECT * FROM plain"), path)
		if p.Why != what || p.Everything != (what != "") {
			t.Errorf("%s: everything %t, because %q, want %q", definition, p.Everything, p.Why, what)
		}
	}
}

func TestSearchPath(t *testing.T) {
	t.Parallel()
	c := load(t, `
		CREATE TABLE t (a integer);
		CREATE SCHEMA one CREATE TABLE t (a integer);
		CREATE FUNCTION one.lower(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1';
		CREATE VIEW v AS SELECT a FROM t`)
	for _, test := range []struct{ path, sql, want string }{
		{"public one", "SELECT * FROM t", "public.t"},
		{"one public", "SELECT * FROM t", "one.t"},
		{"one", "SELECT * FROM public.t", "public.t"},
		{"one public", "SELECT * FROM v", "public.t"},
		{"public", "SELECT lower('A') FROM t", "public.t"},
		{"public one", "SELECT lower('A') FROM t", ""},
		{"pg_catalog one public", "SELECT lower('A') FROM t", ""},
	} {
		got := ""
		if p := c.Plan(statement.Analyze(test.sql), strings.Fields(test.path)); p.Cacheable {
			got = p.Reads[0].Schema + "." + p.Reads[0].Name
		}
		if got != test.want {
			t.Errorf("%s under %s reads %q, want %q", test.sql, test.path, got, test.want)
		}
	}
}

func TestTemporaryTables(t *testing.T) {
	t.Parallel()
	db := database(t, schema)
	if _, err := db.Exec(t.Context(), `
		CREATE TEMPORARY TABLE brief (id integer);
		CREATE TEMPORARY TABLE plain (id integer);
		CREATE TEMPORARY TABLE animal_child () INHERITS (animal);
		CREATE TEMPORARY VIEW glance AS SELECT * FROM public.plain;
		CREATE TEMPORARY TABLE watched (id integer);
		CREATE TRIGGER record AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION record();
	`); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Load(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]string{
		"SELECT * FROM brief":             "",
		"INSERT INTO brief VALUES (1)":    "",
		"UPDATE pg_temp.brief SET id = 2": "",
		"SELECT * FROM plain":             "reads plain",
		"INSERT INTO plain VALUES (1)":    "+plain",
		"SELECT * FROM glance":            "",
		"UPDATE glance SET a = 1":         "~plain",
		"INSERT INTO watched VALUES (1)":  "+audit",
		"SELECT * FROM animal":            "reads animal",
		"UPDATE animal_child SET a = 1":   "",
		"SELECT * FROM pg_temp.unknown":   "outdated",
		"DELETE FROM pg_temp.unknown":     "everything outdated",
	} {
		if got := describe(c.Plan(statement.Analyze(sql), path)); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// many is a schema of a thousand tables in chains of cascades, with views.
func many() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "CREATE TABLE t%d (id integer PRIMARY KEY, a integer, b text, up integer", i)
		if i%10 > 0 {
			fmt.Fprintf(&b, " REFERENCES t%d ON DELETE CASCADE", i-1)
		}
		b.WriteString(");\n")
		if i%10 == 9 {
			fmt.Fprintf(&b, "CREATE VIEW v%d AS SELECT x.id, lower(y.b) AS b FROM t%[1]d x JOIN t%d y USING (id);\n", i, i-1)
		}
	}
	return b.String()
}

func BenchmarkLoad(b *testing.B) {
	db := database(b, many())
	for b.Loop() {
		if _, err := catalog.Load(b.Context(), db); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	c := load(b, many())
	for name, sql := range map[string]string{
		"row":     "SELECT * FROM t5 WHERE id = $1",
		"join":    "SELECT count(*), max(x.a) FROM t1 x JOIN t2 y USING (id) JOIN t3 z USING (id) WHERE x.a > $1",
		"view":    "SELECT * FROM v9",
		"update":  "UPDATE t5 SET a = $1 WHERE id = $2",
		"cascade": "DELETE FROM t0 WHERE id = $1",
	} {
		s := statement.Analyze(sql)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Plan(s, path)
			}
		})
	}
}
