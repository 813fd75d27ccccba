package catalog

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// Catalog is a snapshot of what a database knows of itself. It does not change and
// may be used by several goroutines.
type Catalog struct {
	path      []string // the search path under which definitions of views are written
	relations map[statement.Name]*relation
	temporary map[string]*relation // of all sessions, joined by name
	routines  map[statement.Name][]*routine
	builtin   map[string]volatility
	operators map[string]volatility   // of users
	types     map[statement.Name]bool // of users; whether a cast to it depends on nothing else
	folds     bool                    // names are compared without regard to case
	hidden    string                  // why nothing can be vouched for; empty where it can
}

// relation is what the name in a FROM or of a target may stand for.
type relation struct {
	name     statement.Name
	kind     kind
	store    *store // of base tables
	security bool   // of rows
	view     *view
	triggers []trigger
	rules    bool
	// temporary ones belong to a session, whose results are not cached: only what they
	// set off matters.
	temporary bool
	calls     []*routine // of users, by defaults, generated columns and checks; or by the view
	policies  []*routine // of users, by its policies
}

// isRemote tells whether some of the rows are in another database.
func (r *relation) isRemote() bool {
	return r.kind == remote ||
		r.store != nil && slices.ContainsFunc(r.store.members, func(m *relation) bool { return m.kind == remote })
}

// kind is what a relation is.
type kind int

const (
	base kind = iota
	viewed
	remote // a foreign table
	sequence
	system // of PostgreSQL's own
)

// view is the definition of one.
type view struct {
	statement statement.Statement
	reads     []*relation // as the database says; all but system catalogs
	dangerous bool        // some word in it may be a built-in function that does more than read
}

// store is where rows are: a table, or all tables that partitioning and inheritance
// link. A row may move between the latter, and whoever reads a parent reads its
// children, so that they count as one, under the name of their top.
type store struct {
	table     Table
	members   []*relation
	generated bool // some columns follow from others
	replaces  bool // a row that comes may delete others in its way
	children  []foreignKey
}

// foreignKey is what a table does when the rows change that its own refer to.
type foreignKey struct {
	child              *store
	columns            []string
	references         []string
	onDelete, onUpdate action
}

// action is pg_constraint's letter for it.
type action string

const (
	cascade    action = "c"
	setNull    action = "n"
	setDefault action = "d"
)

// find resolves a name like PostgreSQL does, but takes temporary tables last: who has
// one is not served from the cache, and may change the other.
func (c *Catalog) find(n statement.Name, path []string) *relation {
	for _, schema := range searched(n, path) {
		if r := c.relations[statement.Name{Schema: schema, Name: n.Name}]; r != nil {
			return r
		}
	}
	if n.Schema == "" || n.Schema == "temp" || strings.HasPrefix(n.Schema, "pg_temp") {
		return c.temporary[n.Name]
	}
	return nil
}

// searched are the schemas in which a name is looked for. PostgreSQL's own comes first
// unless the path says otherwise.
func searched(n statement.Name, path []string) []string {
	if n.Schema != "" {
		return []string{n.Schema}
	}
	if slices.Contains(path, ownSchema) {
		return path
	}
	return append([]string{ownSchema}, path...)
}

// ownSchema is where PostgreSQL's own objects are.
const ownSchema = "pg_catalog"
