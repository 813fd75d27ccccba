package catalog_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

//go:embed testdata/rows.sql
var rows string

// TestPlansNameWhatChanges runs random writes on a database and looks into every table
// for what they changed: each is in the plan, as far as the plan says that it may
// change at all.
func TestPlansNameWhatChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	changed := map[string]int{} // number of statements
	for range 1500 {
		sql := w.write(random)
		plan := w.catalog.Plan(statement.Analyze(sql), path)
		for table, diff := range w.try(t, sql) {
			changed[table]++
			if !plan.Everything && !w.covers(plan, table, diff) {
				t.Errorf("%s\n changes %s: %v\n plan: %s", sql, table, diff, describe(plan))
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, table := range w.tables {
		if changed[table] == 0 && !w.still[table] {
			t.Errorf("no statement changed %s", table)
		}
	}
}

// world is a database whose tables are watched.
type world struct {
	connection
	catalog *catalog.Catalog
	tables  []string
	columns map[string][]column // of tables and views
	still   map[string]bool     // tables that the random writes cannot change
	watch   string              // the query for all rows of all tables
	before  map[string][]string // their rows, to which each statement is taken back
}

type column struct{ name, kind string }

func newWorld(t *testing.T) *world {
	w := &world{
		connection: database(t, schema+rows), columns: map[string][]column{},
		still: map[string]bool{"event": true, "event_late": true},
	}
	var err error
	if w.catalog, err = catalog.Load(t.Context(), w.connection); err != nil {
		t.Fatal(err)
	}
	text, err := w.QueryText(t.Context(), `
		SELECT json_object_agg(name, columns) FROM (
			SELECT attrelid::regclass::text AS name, json_agg(json_build_array(quote_ident(attname), format_type(atttypid, NULL))) AS columns
			FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
			WHERE relkind IN ('r', 'p', 'v') AND relnamespace IN ('public'::regnamespace, 'other'::regnamespace)
				AND attnum > 0 AND attgenerated = '' GROUP BY 1) c`)
	if err != nil {
		t.Fatal(err)
	}
	var columns map[string][][2]string
	if err := json.Unmarshal([]byte(text), &columns); err != nil {
		t.Fatal(err)
	}
	var queries []string
	views := strings.Fields("simple nested timed settings guarded sly")
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		for _, c := range columns[table] {
			w.columns[table] = append(w.columns[table], column{c[0], c[1]})
		}
		if !slices.Contains(views, table) {
			w.tables = append(w.tables, table)
			queries = append(queries, fmt.Sprintf("SELECT '%s' AS name, to_jsonb(t)::text AS row FROM ONLY %[1]s t", table))
		}
	}
	w.watch = "SELECT json_agg(json_build_array(name, row))::text FROM (" + strings.Join(queries, " UNION ALL ") + ") t"
	return w
}

// difference is what became of the rows of a table: those that are gone, and new ones.
type difference struct{ gone, came []string }

// try executes a statement, tells what it changed, and takes it back. What fails
// changes nothing.
func (w *world) try(t *testing.T, sql string) map[string]difference {
	t.Helper()
	tx, err := w.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if w.before == nil {
		w.before = w.look(t, tx)
	}
	if _, err := tx.Exec(t.Context(), sql); err != nil {
		return nil
	}
	after := w.look(t, tx)
	found := map[string]difference{}
	for _, table := range w.tables {
		d := difference{gone: without(w.before[table], after[table]), came: without(after[table], w.before[table])}
		if len(d.gone)+len(d.came) > 0 {
			found[table] = d
		}
	}
	return found
}

func (w *world) look(t *testing.T, tx pgx.Tx) map[string][]string {
	t.Helper()
	var text string
	if err := tx.QueryRow(t.Context(), w.watch).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, p := range pairs {
		found[p[0]] = append(found[p[0]], p[1])
	}
	return found
}

// without returns the rows of a that are not in b, as often as they are more.
func without(a, b []string) []string {
	count := map[string]int{}
	for _, row := range b {
		count[row]++
	}
	var rest []string
	for _, row := range a {
		if count[row]--; count[row] < 0 {
			rest = append(rest, row)
		}
	}
	return rest
}

// covers tells whether a plan says that rows of a table may change like this.
func (w *world) covers(p catalog.Plan, table string, d difference) bool {
	reads := w.catalog.Plan(statement.Analyze("SELECT * FROM "+table), path).Reads
	i := slices.IndexFunc(p.Writes, func(w catalog.Write) bool { return w.Table == reads[0] })
	if i < 0 {
		return false
	}
	write := p.Writes[i]
	if write.Adds && len(d.gone) > 0 {
		return false
	}
	for _, row := range slices.Concat(d.gone, d.came) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(row), &fields); err != nil {
			return false
		}
		for i, v := range write.Row {
			if fmt.Sprint(fields[write.Key[i].Name]) != v.Literal {
				return false
			}
		}
	}
	return true
}

// write makes up a statement that writes. Many fail, for one reason or another.
func (w *world) write(random *rand.Rand) string {
	table := pick(random, slices.Sorted(maps.Keys(w.columns)))
	columns := w.columns[table]
	value := func(c column) string {
		n := random.IntN(8)
		switch {
		case random.IntN(10) == 0:
			return "DEFAULT"
		case c.kind == "uuid":
			return fmt.Sprintf("'00000000-0000-0000-0000-00000000000%d'", n)
		case c.kind == "timestamp with time zone":
			return "'2001-02-03'"
		case c.kind == "tsvector":
			return "NULL"
		case strings.HasPrefix(c.kind, "char") || c.kind == "text" || c.kind == "citext":
			return fmt.Sprintf("'%c'", 'a'+n)
		}
		return fmt.Sprint(n)
	}
	assignments := func() string {
		var set []string
		for range 1 + random.IntN(2) {
			c := pick(random, columns)
			set = append(set, c.name+" = "+value(c))
		}
		return strings.Join(set, ", ")
	}
	condition := func() string {
		c := pick(random, columns)
		switch random.IntN(4) {
		case 0:
			return ""
		case 1:
			return fmt.Sprintf(" WHERE %s > %s", c.name, strings.ReplaceAll(value(c), "DEFAULT", "2"))
		}
		var pins []string
		for _, c := range columns[:1+random.IntN(min(2, len(columns)))] {
			pins = append(pins, c.name+" = "+strings.ReplaceAll(value(c), "DEFAULT", "2"))
		}
		return " WHERE " + strings.Join(pins, " AND ")
	}
	var names, values []string
	for _, c := range columns {
		names, values = append(names, c.name), append(values, value(c))
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(values, ", "))
	first := columns[0].name
	switch random.IntN(12) {
	case 0, 1:
		return insert
	case 2:
		return insert + " ON CONFLICT DO NOTHING"
	case 3:
		return fmt.Sprintf("%s ON CONFLICT (%s) DO UPDATE SET %s", insert, first, assignments())
	case 4, 5, 6:
		return fmt.Sprintf("UPDATE %s SET %s%s", table, assignments(), condition())
	case 7, 8:
		return fmt.Sprintf("DELETE FROM %s%s", table, condition())
	case 9:
		return fmt.Sprintf("MERGE INTO %s USING named ON %[1]s.%s = named.a WHEN MATCHED THEN %s", table, first,
			pick(random, []string{"DELETE", "UPDATE SET " + assignments()}))
	case 10:
		return fmt.Sprintf("WITH gone AS (DELETE FROM plain%s RETURNING id) UPDATE %s SET %s WHERE %s IN (SELECT id FROM gone)",
			pick(random, []string{"", " WHERE id = 2"}), table, assignments(), first)
	}
	return fmt.Sprintf("SELECT %s FROM %s", pick(random, []string{"writing(1)", "looping()", "dynamic()", "*", "lower('A')"}), table)
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
