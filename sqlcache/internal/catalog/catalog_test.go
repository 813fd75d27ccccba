package catalog_test

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main{M: m}.Run()) }

//go:embed testdata/schema.sql
var schema string

// path is the search path of the tests.
var path = []string{"pg_catalog", "public"}

// connection is a Queryer.
type connection struct{ *pgx.Conn }

func (c connection) QueryText(ctx context.Context, query string) (text string, err error) {
	err = c.QueryRow(ctx, query).Scan(&text)
	return text, err
}

// database makes one with the statements and connects to it.
func database(tb testing.TB, statements string) connection {
	tb.Helper()
	url := pgtest.Database(tb)
	pgtest.Do(tb, url, statements)
	c, err := pgx.Connect(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close(context.Background()) })
	return connection{c}
}

// load makes a database with the statements and loads its catalog.
func load(tb testing.TB, statements string) *catalog.Catalog {
	tb.Helper()
	c, err := catalog.Load(tb.Context(), database(tb, statements))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// describe puts a plan into words.
func describe(p catalog.Plan) string {
	var words, tables []string
	switch {
	case p.Cacheable && p.Row != nil:
		words = append(words, "row "+p.Reads[0].Name+values(p.Row))
	case p.Cacheable:
		words = append(words, "reads")
		for _, t := range p.Reads {
			tables = append(tables, t.Name)
		}
	}
	for _, w := range p.Writes {
		if w.Adds {
			tables = append(tables, "+"+w.Name)
		} else {
			tables = append(tables, "~"+w.Name+values(w.Row))
		}
	}
	slices.Sort(tables)
	words = append(words, tables...)
	for _, flag := range []struct {
		set  bool
		word string
	}{{p.Everything, "everything"}, {p.Schema, "schema"}, {p.Session, "session"}, {p.Outdated, "outdated"}} {
		if flag.set {
			words = append(words, flag.word)
		}
	}
	return strings.Join(words, " ")
}

func values(row []catalog.Value) string {
	if row == nil {
		return ""
	}
	var words []string
	for _, v := range row {
		if v.Param > 0 {
			words = append(words, fmt.Sprintf("$%d", v.Param))
		} else {
			words = append(words, v.Literal)
		}
	}
	return "(" + strings.Join(words, ",") + ")"
}

// TestPlans holds each thing that a catalog knows to what a plan says of it. Nothing
// is said of what is not cacheable and changes nothing.
func TestPlans(t *testing.T) {
	t.Parallel()
	c := load(t, schema)
	for _, test := range []struct{ sql, want string }{
		// Rows.
		{"SELECT * FROM plain WHERE id = $1", "row plain($1)"},
		{"SELECT * FROM plain WHERE id = '007' AND a = 1", "row plain(7)"},
		{"SELECT * FROM plain WHERE id = '0x7'", "reads plain"},
		{"SELECT * FROM plain WHERE a = 1", "reads plain"},
		{"SELECT * FROM plain, named WHERE id = 1", "reads named plain"},
		{"SELECT * FROM domained WHERE id = 1", "row domained(1)"},
		{"SELECT * FROM named WHERE name = 'Ann '", "row named(Ann )"},
		{"SELECT * FROM varying WHERE name = 'Ann'", "row varying(Ann)"},
		{"SELECT * FROM identified WHERE id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "row identified(a0eebc999c0b4ef8bb6d6bb9bd380a11)"},
		{"SELECT * FROM identified WHERE id = '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'", "reads identified"},
		{"SELECT * FROM paired WHERE x = $1 AND y = $2", "row paired($2,$1)"},
		{"SELECT * FROM paired WHERE y = $1", "reads paired"},
		{"SELECT * FROM padded WHERE name = 'Ann'", "reads padded"},
		{"SELECT * FROM folded WHERE name = 'Ann'", "reads folded"},
		{"SELECT * FROM loose WHERE name = 'Ann'", "reads loose"},
		{"SELECT * FROM exact WHERE n = 1", "reads exact"},
		{"SELECT * FROM computed WHERE id = 2", "reads computed"},
		{"SELECT * FROM keyless WHERE a = 1", "reads keyless"},
		{"UPDATE plain SET a = 2 WHERE id = $1", "~plain($1)"},
		{"UPDATE plain SET id = 2 WHERE id = $1", "~plain"},
		{"UPDATE plain SET a = 2", "~plain"},
		{"DELETE FROM plain WHERE id = 7", "~plain(7)"},
		{"INSERT INTO plain VALUES (1)", "+plain"},
		{"INSERT INTO plain VALUES (1) ON CONFLICT DO NOTHING", "+plain"},
		{"INSERT INTO plain VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1", "~plain"},
		{"WITH x AS (INSERT INTO plain VALUES (9) RETURNING id) UPDATE plain SET a = 1 WHERE id = 1", "~plain"},
		{"UPDATE computed SET a = 2 WHERE id = 2", "~computed"},

		// Cascades.
		{"DELETE FROM grand WHERE id = 1", "~child ~grand(1) ~parent"},
		{"UPDATE grand SET code = 'x' WHERE id = 1", "~child ~grand(1) ~parent"},
		{"UPDATE grand SET note = 'x' WHERE id = 1", "~grand(1)"},
		{"INSERT INTO grand VALUES (1)", "+grand"},
		{"DELETE FROM parent WHERE id = 1", "~child ~parent(1)"},
		{"UPDATE parent SET grand_id = 2 WHERE id = 1", "~parent(1)"},
		{"DELETE FROM tree WHERE id = 1", "~tree"},
		{"UPDATE tree SET a = 1 WHERE id = 1", "~tree(1)"},
		{"UPDATE doubled SET a = 2", "~doubled ~follower"},
		{"MERGE INTO doubled USING plain ON true WHEN MATCHED THEN DELETE", "~doubled ~follower"},

		// Views.
		{"SELECT * FROM simple", "reads plain"},
		{"SELECT * FROM simple WHERE id = 1", "reads plain"},
		{"SELECT * FROM nested", "reads named plain"},
		{"SELECT * FROM timed", ""},
		{"SELECT * FROM settings", ""},
		{"SELECT * FROM frozen", "reads frozen"},
		{"SELECT * FROM counter", ""},
		{"SELECT * FROM sly", "+keyless"},
		{"UPDATE simple SET a = 1", "~plain"},
		{"INSERT INTO simple VALUES (1)", "+plain"},
		{"UPDATE guarded SET a = 1", "~keyless ~plain"},

		// Partitions and inheritance.
		{"SELECT * FROM event WHERE id = 1 AND day = 2", "reads event"},
		{"SELECT * FROM event_ten", "reads event"},
		{"INSERT INTO event_early VALUES (1, 2)", "+event"},
		{"UPDATE event_late SET day = 11", "+audit ~event ~mention"},
		{"DELETE FROM event_ten WHERE id = 1 AND day = 10", "+audit ~event ~mention"},
		{"SELECT * FROM animal", "reads animal"},
		{"SELECT * FROM swimmer", "reads animal"},
		{"UPDATE duck SET a = 1", "~animal"},

		// What cannot be cached.
		{"SELECT * FROM secret", ""},
		{"SELECT * FROM far", ""},
		{"SELECT * FROM pg_class", ""},
		{"SELECT * FROM information_schema.tables", ""},
		{"SELECT * FROM pg_temp.plain", "outdated"},
		{"SELECT * FROM nothing", "outdated"},
		{"INSERT INTO nothing VALUES (1)", "everything outdated"},
		{"INSERT INTO far VALUES (1)", "everything"},
		{"UPDATE pg_class SET relname = 'x'", "everything schema"},
		{"SELECT * FROM other.plain", "reads plain"},

		// Functions, operators, types.
		{"SELECT length(b), sum(a), coalesce(a, 1) FROM plain GROUP BY b, a", "reads plain"},
		{"SELECT to_char(a, '9') FROM plain", "reads plain"},
		{"SELECT pure(a) FROM plain", "reads plain"},
		{"SELECT honest(a) FROM plain", "reads plain"},
		{"SELECT peeking(a) FROM plain", ""},
		{"SELECT looking()", ""},
		{"SELECT now()", ""},
		{"SELECT random()", ""},
		{"SELECT pg_sleep(0)", ""},
		{"SELECT nextval('counter')", ""},
		{"SELECT uuid_generate_v4()", ""},
		{"SELECT writing(1)", "+keyless"},
		{"SELECT looping()", "everything"},
		{"SELECT dynamic()", "everything schema session"},
		{"SELECT lower('A')", "everything schema session"},
		{"SELECT query_to_xml('', true, true, '')", "everything session"},
		{"SELECT lo_create(0)", "everything session"},
		{"SELECT set_config('search_path', 'other', false)", "session"},
		{"SELECT nowhere()", "everything outdated"},
		{"SELECT a @+ 1 FROM plain", "reads plain"},
		{"SELECT a @% 1 FROM plain", "everything"},
		{"SELECT 'sad'::mood", "reads"},
		{"SELECT 'sad'::mod", "outdated"},
		{"SELECT '1'::identity", "reads"},

		// Triggers, rules, and what columns call.
		{"INSERT INTO touched VALUES (1)", "+touched"},
		{"UPDATE touched SET name = 'x' WHERE id = 1", "~touched"},
		{"DELETE FROM touched WHERE id = 1", "~touched(1)"},
		{"UPDATE relabelled SET a = 1 WHERE id = 1", "~labels ~relabelled"},
		{"UPDATE searchable SET body = 'x' WHERE id = 1", "~searchable"},
		{"UPDATE audited SET a = 1 WHERE id = 1", "+audit ~audited(1)"},
		{"DELETE FROM audited_parent", "+audit ~audited ~audited_child ~audited_parent"},
		{"DELETE FROM opaque WHERE id = 1", "~opaque(1) everything schema session"},
		{"UPDATE opaque SET a = 1 WHERE id = 1", "~opaque(1)"},
		{"DELETE FROM asleep WHERE id = 1", "~asleep(1)"},
		{"INSERT INTO ruled VALUES (1)", "+ruled everything"},
		{"INSERT INTO numbered VALUES (1)", "+keyless +numbered"},
		{"INSERT INTO checked VALUES (1)", "+checked +keyless"},

		// Kinds.
		{"CREATE TABLE x ()", "everything schema session"},
		{"SET search_path = other", "session"},
		{"BEGIN", ""},
		{"EXPLAIN SELECT dynamic()", ""},
		{"SELECT * FROM plain FOR UPDATE", ""},
		{"HELLO", "everything schema session"},
	} {
		p := c.Plan(statement.Analyze(test.sql), path)
		if got := describe(p); got != test.want {
			t.Errorf("%s\n got %q (%s)\nwant %q", test.sql, got, p.Why, test.want)
		}
		if p.Cacheable != (p.Why == "") {
			t.Errorf("%s: cacheable %t, because %q", test.sql, p.Cacheable, p.Why)
		}
	}
}
