package catalog

import (
	"cmp"
	"maps"
	"slices"

	"github.com/larder-go/larder/internal/statement"
)

// builder turns rows, which refer to each other by number, into a Catalog.
type builder struct {
	*Catalog
	rows     *postgresRows
	byOID    map[oid]*relation
	routines map[oid]*routine
	given    map[string]bool // names of users' relations and functions
}

func (rows *postgresRows) build() *Catalog {
	b := builder{
		Catalog: &Catalog{
			path: rows.Path, relations: map[statement.Name]*relation{}, temporary: map[string]*relation{},
			routines: map[statement.Name][]*routine{}, builtin: rows.Builtin,
			operators: map[string]volatility{}, types: map[statement.Name]bool{},
		},
		rows: rows, byOID: map[oid]*relation{}, routines: map[oid]*routine{}, given: map[string]bool{},
	}
	if len(rows.Hidden) > 0 {
		b.hidden = rows.Hidden[0]
	}
	for _, o := range rows.Operators {
		b.operators[o.Name] = o.Volatility
	}
	for _, t := range rows.Types {
		// A domain's checks are among the hidden.
		b.types[statement.Name{Schema: t.Schema, Name: t.Name}] = t.Kind != "b" || t.Input == immutable
	}
	b.addRelations()
	b.addRoutines()
	b.addStores()
	b.addKeys()
	b.addForeignKeys()
	b.addCode()
	return b.Catalog
}

func (b *builder) addRelations() {
	for _, row := range b.rows.Relations {
		r := &relation{name: statement.Name{Schema: row.Schema, Name: row.Name}, security: row.Security, temporary: row.Temporary}
		if row.Temporary {
			if other := b.temporary[row.Name]; other != nil {
				r = other
			}
			b.temporary[row.Name] = r
		} else {
			b.relations[r.name] = r
		}
		b.byOID[row.OID] = r
		switch {
		case !row.OID.user():
			r.kind = system
		case row.Kind == "v":
			r.kind, r.view = viewed, b.newView(row.Definition)
		case row.Kind == "f":
			r.kind = remote
		case row.Kind == "S":
			r.kind = sequence
		case !row.Temporary:
			r.store = &store{
				table: Table{Schema: row.Schema, Name: row.Name}, members: []*relation{r}, generated: row.Generated,
			}
		}
		b.given[row.Name] = b.given[row.Name] || row.OID.user()
	}
	for _, pair := range b.rows.Views {
		if v, below := b.byOID[pair[0]], b.byOID[pair[1]]; v != nil && v.view != nil && below != nil {
			v.view.reads = append(v.view.reads, below)
		}
	}
}

func (b *builder) newView(definition string) *view {
	words, ok := lexemes(definition)
	return &view{
		statement: statement.Analyze(definition),
		dangerous: !ok || slices.ContainsFunc(words, func(w string) bool { return b.builtin[w] == volatile && !harmless[w] }),
	}
}

func (b *builder) addRoutines() {
	for _, row := range b.rows.Routines {
		b.given[row.Name] = true
	}
	for _, row := range b.rows.Routines {
		r := &routine{
			name:       statement.Name{Schema: row.Schema, Name: row.Name},
			volatility: row.Volatility, language: row.Language,
			body: newBody(row, func(name string) bool { return b.given[name] }),
		}
		if row.Language == "c" && localTriggers[row.Name] {
			r.body = body{understood: true}
		}
		b.routines[row.OID] = r
		b.Catalog.routines[r.name] = append(b.Catalog.routines[r.name], r)
	}
}

// addStores joins the tables of each family into one store, that of its first root.
func (b *builder) addStores() {
	child := map[*relation]bool{}
	links := map[*relation][]*relation{}
	for _, pair := range b.rows.Parents {
		if c, p := b.byOID[pair[0]], b.byOID[pair[1]]; c != nil && p != nil && !c.temporary { // indexes inherit too
			child[c] = true
			links[c], links[p] = append(links[c], p), append(links[p], c)
		}
	}
	for _, root := range slices.SortedFunc(maps.Keys(links), byName) {
		if child[root] || root.store == nil || len(root.store.members) > 1 {
			continue
		}
		for i := 0; i < len(root.store.members); i++ {
			for _, r := range links[root.store.members[i]] {
				if !slices.Contains(root.store.members, r) {
					root.store.members = append(root.store.members, r)
				}
			}
		}
		for _, r := range root.store.members {
			if r.store != nil {
				root.store.generated = root.store.generated || r.store.generated
			}
			r.store = root.store
		}
	}
}

func byName(a, b *relation) int {
	return cmp.Or(cmp.Compare(a.name.Schema, b.name.Schema), cmp.Compare(a.name.Name, b.name.Name))
}

// keyTypes are the built-in types of key columns that name rows.
var keyTypes = map[oid]KeyType{
	20: Integer, 21: Integer, 23: Integer, // bigint, smallint, integer
	25: Text, 1043: Text, // text, varchar
	2950: UUID,
}

// addKeys sets the keys of tables that are on their own: only there a row has one tag.
func (b *builder) addKeys() {
	domains := map[oid]oid{}
	for _, t := range b.rows.Types {
		if t.Kind == "d" {
			domains[t.OID] = t.Base
		}
	}
	for _, row := range b.rows.Keys {
		r := b.byOID[row.Relation]
		if r == nil || r.store == nil || len(r.store.members) > 1 {
			continue
		}
		var key []KeyColumn
		for _, column := range row.Columns {
			typ := column.Type
			for domains[typ] != 0 {
				typ = domains[typ]
			}
			t, ok := keyTypes[typ]
			if !ok || !column.Deterministic || column.Generated {
				key = nil
				break
			}
			key = append(key, KeyColumn{Name: column.Name, Type: t})
		}
		r.store.table.Key = key
	}
}

func (b *builder) addForeignKeys() {
	for _, row := range b.rows.ForeignKeys {
		child, parent := b.byOID[row.Child], b.byOID[row.Parent]
		if child == nil || parent == nil || child.store == nil || parent.store == nil {
			continue // of temporary tables
		}
		parent.store.children = append(parent.store.children, foreignKey{
			child: child.store, columns: row.Columns, references: row.References,
			onDelete: action(row.OnDelete), onUpdate: action(row.OnUpdate),
		})
	}
}

// addCode tells relations what they execute.
func (b *builder) addCode() {
	builtin := map[string]*routine{}
	for _, row := range b.rows.Triggers {
		r, f := b.byOID[row.Relation], b.routines[row.Function]
		if r == nil {
			continue
		}
		if f == nil {
			f = builtin[row.Builtin]
		}
		if f == nil {
			f = &routine{name: statement.Name{Schema: ownSchema, Name: row.Builtin}, body: body{understood: localTriggers[row.Builtin]}}
			builtin[row.Builtin] = f
		}
		r.triggers = append(r.triggers, trigger{events: row.Type, routine: f})
	}
	for _, id := range b.rows.Rules {
		if r := b.byOID[id]; r != nil {
			r.rules = true
		}
	}
	for _, row := range b.rows.Calls {
		r, f := b.byOID[row.Relation], b.routines[row.Function]
		switch {
		case r == nil || f == nil:
		case row.Policy:
			r.policies = append(r.policies, f)
		default:
			r.calls = append(r.calls, f)
		}
	}
}
