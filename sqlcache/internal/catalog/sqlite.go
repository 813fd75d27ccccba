package catalog

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

//go:embed sqlite.sql
var sqliteSQL string

// sqliteRows is the answer to sqlite.sql.
type sqliteRows struct {
	Tables []struct {
		Name string `json:"name"`
		Type string `json:"type"` // table, view, virtual or shadow
		SQL  string `json:"sql"`
	} `json:"tables"`
	Temporary []string `json:"temporary"`
	Columns   []struct {
		Table     string `json:"table"`
		Name      string `json:"name"`
		Type      string `json:"type"`
		Key       int    `json:"key"` // its place in the primary key, from 1
		Generated bool   `json:"generated"`
	} `json:"columns"`
	Indexed     []string `json:"indexed"` // tables whose key is more than the row's number
	ForeignKeys []struct {
		Child      string `json:"child"`
		Parent     string `json:"parent"`
		Column     string `json:"column"`
		References string `json:"references"`
		OnDelete   string `json:"on_delete"`
		OnUpdate   string `json:"on_update"`
	} `json:"foreign_keys"`
	Triggers []struct {
		Table string `json:"table"`
		SQL   string `json:"sql"`
	} `json:"triggers"`
	Functions []struct {
		Name          string `json:"name"`
		Builtin       bool   `json:"builtin"`
		Deterministic bool   `json:"deterministic"`
	} `json:"functions"`
}

// LoadSQLite reads a snapshot of the main database of SQLite, in one query. It believes
// in foreign keys also where they are not enforced. Rows are told apart in tables whose
// key is INTEGER PRIMARY KEY: other columns take values of any type.
func LoadSQLite(ctx context.Context, q Queryer) (*Catalog, error) {
	text, err := q.QueryText(ctx, sqliteSQL)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	var rows sqliteRows
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("catalog: the database's answer: %w", err)
	}
	for what, n := range map[string]int{
		"tables": len(rows.Tables), "columns of keys": len(rows.Columns), "foreign keys": len(rows.ForeignKeys),
		"triggers": len(rows.Triggers), "functions": len(rows.Functions),
	} {
		if n > MaxObjects {
			return nil, fmt.Errorf("catalog: the database has more than %d %s", MaxObjects, what)
		}
	}
	return rows.build(), nil
}

// mainSchema is where SQLite's tables are.
const mainSchema = "main"

// clocks are the functions of SQLite that call themselves deterministic and know what
// time it is.
var clocks = set("date time datetime julianday unixepoch strftime timediff")

// searchFunctions are those of the extensions that come with SQLite.
var searchFunctions = set("bm25 fts5 fts5_get_locale fts5_insttoken fts5_locale highlight match rtreecheck rtreedepth rtreenode snippet")

func (rows *sqliteRows) build() *Catalog {
	c := &Catalog{
		path: []string{mainSchema}, folds: true,
		relations: map[statement.Name]*relation{}, temporary: map[string]*relation{},
		routines: map[statement.Name][]*routine{},
		builtin:  map[string]volatility{"raise": immutable, "json_each": immutable, "json_tree": immutable},
	}
	rows.addFunctions(c)
	rows.addTables(c)
	rows.addKeys(c)
	rows.addForeignKeys(c)
	for _, row := range rows.Triggers {
		name := strings.ToLower(row.Table)
		f := &routine{name: inMain(name), body: triggerBody(row.SQL)}
		for _, r := range []*relation{c.relations[inMain(name)], c.temporary[name]} {
			if r != nil {
				r.triggers = append(r.triggers, trigger{events: onInsert | onUpdate | onDelete, routine: f})
			}
		}
	}
	return c
}

func inMain(name string) statement.Name { return statement.Name{Schema: mainSchema, Name: name} }

func (rows *sqliteRows) addFunctions(c *Catalog) {
	for _, f := range rows.Functions {
		name := strings.ToLower(f.Name)
		switch {
		case f.Builtin && name == "load_extension":
			c.builtin[name] = volatile
		case f.Builtin && f.Deterministic && !clocks[name]:
			c.builtin[name] = immutable
		case f.Builtin, searchFunctions[name]:
			c.builtin[name] = stable
		case f.Deterministic:
			c.routines[inMain(name)] = []*routine{{name: inMain(name), volatility: immutable}}
		default:
			c.routines[inMain(name)] = []*routine{{name: inMain(name), volatility: volatile, body: body{tame: true}}}
		}
	}
}

func (rows *sqliteRows) addTables(c *Catalog) {
	for _, row := range rows.Tables {
		r := &relation{name: inMain(strings.ToLower(row.Name))}
		c.relations[r.name] = r
		words, ok := lexemes(row.SQL)
		switch {
		case strings.HasPrefix(r.name.Name, "sqlite_"):
			r.kind = system
			continue
		case row.Type == "virtual":
			r.kind = remote
			continue
		case row.Type == "view":
			r.kind, r.view = viewed, &view{dangerous: true}
			if i := slices.Index(words, "as"); i > 0 {
				r.view.statement = fold(statement.Analyze(strings.Join(words[i+1:], " ")))
			}
			continue
		}
		r.store = &store{
			table: Table{Schema: mainSchema, Name: row.Name}, members: []*relation{r},
			replaces: slices.Contains(words, "replace"), // ON CONFLICT REPLACE, as far as is known
		}
		r.rules = !ok
		for _, w := range words {
			r.calls = append(r.calls, c.routines[inMain(strings.Trim(w, `"`))]...)
		}
	}
	for _, name := range rows.Temporary {
		name = strings.ToLower(name)
		// It may be a view, and triggers of one connection are not known to another.
		c.temporary[name] = &relation{name: statement.Name{Schema: "temp", Name: name}, temporary: true, rules: true}
	}
}

func (rows *sqliteRows) addKeys(c *Catalog) {
	columns := map[string][]string{}
	numbered := map[string]bool{}
	for _, row := range rows.Columns {
		r := c.relations[inMain(strings.ToLower(row.Table))]
		if r == nil || r.store == nil {
			continue
		}
		r.store.generated = r.store.generated || row.Generated
		if row.Key > 0 {
			columns[row.Table] = append(columns[row.Table], strings.ToLower(row.Name))
			numbered[row.Table] = strings.EqualFold(row.Type, "integer")
		}
	}
	for table, key := range columns {
		if len(key) == 1 && numbered[table] && !slices.Contains(rows.Indexed, table) {
			c.relations[inMain(strings.ToLower(table))].store.table.Key = []KeyColumn{{Name: key[0], Type: Integer}}
		}
	}
}

func (rows *sqliteRows) addForeignKeys(c *Catalog) {
	actions := map[string]action{"CASCADE": cascade, "SET NULL": setNull, "SET DEFAULT": setDefault}
	for _, row := range rows.ForeignKeys {
		child, parent := c.relations[inMain(strings.ToLower(row.Child))], c.relations[inMain(strings.ToLower(row.Parent))]
		if child == nil || parent == nil || child.store == nil || parent.store == nil {
			continue // it refers to nothing yet
		}
		references := []string{strings.ToLower(row.References)}
		if row.References == "" {
			references = rows.keyOf(row.Parent)
		}
		parent.store.children = append(parent.store.children, foreignKey{
			child: child.store, columns: []string{strings.ToLower(row.Column)}, references: references,
			onDelete: actions[row.OnDelete], onUpdate: actions[row.OnUpdate],
		})
	}
}

// keyOf returns the columns of a table's primary key.
func (rows *sqliteRows) keyOf(table string) (columns []string) {
	for _, row := range rows.Columns {
		if row.Key > 0 && strings.EqualFold(row.Table, table) {
			columns = append(columns, strings.ToLower(row.Name))
		}
	}
	return columns
}

// triggerBody reads the statements of a trigger, between BEGIN and END.
func triggerBody(sql string) body {
	words, ok := lexemes(sql)
	start := slices.Index(words, "begin")
	if !ok || start < 0 || words[len(words)-1] != "end" {
		return body{tame: true}
	}
	b := body{understood: true}
	for _, piece := range split(words[start+1 : len(words)-1]) {
		s := fold(statement.Analyze(strings.Join(piece, " ")))
		if s.Kind != statement.Write && s.Kind != statement.Select {
			return body{tame: true}
		}
		b.statements = append(b.statements, s)
	}
	return b
}

// split separates statements at their semicolons.
func split(words []string) (found [][]string) {
	for len(words) > 0 {
		end := slices.Index(words, ";")
		if end < 0 {
			return append(found, words)
		}
		if end > 0 {
			found = append(found, words[:end])
		}
		words = words[end+1:]
	}
	return found
}

// fold puts the names of a statement into lower case, as SQLite compares them, also
// quoted ones. Who sets the number of a row by another name may set any column.
func fold(s statement.Statement) statement.Statement {
	name := func(n statement.Name) statement.Name {
		return statement.Name{Schema: strings.ToLower(n.Schema), Name: strings.ToLower(n.Name)}
	}
	s.Reads, s.Functions, s.Casts = each(s.Reads, name), each(s.Functions, name), each(s.Casts, name)
	s.Writes = each(s.Writes, func(t statement.Target) statement.Target {
		t.Name, t.Columns = name(t.Name), each(t.Columns, strings.ToLower)
		if overlap(t.Columns, []string{"rowid", "oid", "_rowid_"}) {
			t.Columns = nil
		}
		return t
	})
	s.Pins = each(s.Pins, func(p statement.Pin) statement.Pin {
		p.Column = strings.ToLower(p.Column)
		return p
	})
	return s
}

func each[T any](list []T, f func(T) T) []T {
	list = slices.Clone(list)
	for i := range list {
		list[i] = f(list[i])
	}
	return list
}
