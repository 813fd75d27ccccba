package catalog

import (
	"slices"

	"github.com/larder-go/larder/internal/statement"
)

// Plan tells what a statement means under a search path, the schemas in the order in
// which they are searched, like current_schemas(true) gives them.
func (c *Catalog) Plan(s statement.Statement, searchPath []string) Plan {
	if c.folds {
		s, searchPath = fold(s), c.path // SQLite has none
	}
	p := planner{
		Catalog: c, searchPath: searchPath,
		written: map[*Table]int{}, seen: map[*relation]bool{}, executed: map[*routine]bool{}, done: map[step]bool{},
	}
	switch s.Kind {
	case statement.Select, statement.Write, statement.Session:
		p.follow(s, searchPath)
		p.plan.Session = p.plan.Session || s.Kind == statement.Session
	case statement.Begin, statement.Commit, statement.Rollback, statement.Savepoint, statement.Harmless:
	default:
		// DO and CALL are among them.
		p.plan.Schema, p.plan.Session = true, true
		p.everything(s.Why)
	}
	p.refuse(s.Why)
	if s.Kind == statement.Select {
		p.plan.Row = p.row(s)
	} else {
		p.refuse("it is not a SELECT")
	}
	p.plan.Cacheable = p.plan.Why == ""
	return p.plan
}

// planner makes one plan.
type planner struct {
	*Catalog
	searchPath []string
	plan       Plan
	written    map[*Table]int // index into plan.Writes
	seen       map[*relation]bool
	executed   map[*routine]bool
	done       map[step]bool
}

// refuse says why the result is not cacheable; the first reason stands.
func (p *planner) refuse(why string) {
	if p.plan.Why == "" {
		p.plan.Why = why
	}
}

// everything says why any table may change.
func (p *planner) everything(why string) {
	p.plan.Everything = true
	p.refuse(why)
}

// follow adds what happens when a statement is executed: one that was given, the
// definition of a view, or one in the body of a function.
func (p *planner) follow(s statement.Statement, path []string) {
	if p.hidden != "" {
		p.everything(p.hidden)
	}
	for _, n := range s.Functions {
		p.call(n, path)
	}
	for _, n := range s.Casts {
		p.cast(n, path)
	}
	for _, o := range s.Operators {
		if v, ok := p.operators[o]; !ok || v != immutable {
			p.plan.Outdated = p.plan.Outdated || !ok
			p.everything("the operator " + o + " may do anything")
		}
	}
	for _, n := range s.Reads {
		if r := p.find(n, path); r != nil {
			p.read(r)
		} else {
			p.unknown(n, s.Kind != statement.Select)
		}
	}
	for _, t := range s.Writes {
		if r := p.find(t.Name, path); r != nil {
			p.write(r, t, p.row(s))
		} else {
			p.unknown(t.Name, true)
		}
	}
}

// unknown is a relation that the snapshot does not have.
func (p *planner) unknown(n statement.Name, writes bool) {
	p.plan.Outdated = true
	p.refuse("the table " + n.Name + " is unknown")
	p.plan.Everything = p.plan.Everything || writes
}

// read adds what a relation's rows follow from, and what reading them may set off.
func (p *planner) read(r *relation) {
	if p.seen[r] {
		return
	}
	p.seen[r] = true
	switch {
	case r.temporary:
		p.refuse(r.name.Name + " is temporary")
	case r.isRemote():
		p.refuse(r.name.Name + " is a foreign table, or has one")
	case r.kind == sequence:
		p.refuse(r.name.Name + " is a sequence")
	case r.kind == system:
		p.refuse(r.name.Name + " belongs to the system")
	case r.security:
		p.refuse(r.name.Name + " has row security")
	}
	for _, f := range r.policies {
		p.run(f, p.path)
	}
	if r.store != nil && !slices.Contains(p.plan.Reads, &r.store.table) {
		p.plan.Reads = append(p.plan.Reads, &r.store.table)
	}
	if r.view != nil {
		p.readView(r)
	}
}

// readView adds what a view follows from. Its tables and the users' functions are what
// the database says; the text tells which built-in functions it calls.
func (p *planner) readView(r *relation) {
	for _, below := range r.view.reads {
		p.read(below)
	}
	for _, f := range r.calls {
		p.run(f, p.path)
	}
	if s := r.view.statement; s.Kind == statement.Select {
		p.follow(s, p.path)
		p.refuse(s.Why)
	} else {
		p.refuse("the view " + r.name.Name + " is not understood: " + s.Why)
		p.plan.Everything = p.plan.Everything || r.view.dangerous
	}
}

// cast adds what follows from a cast to a type that is not one of the well-known.
func (p *planner) cast(n statement.Name, path []string) {
	for _, schema := range searched(n, path) {
		if pure, ok := p.types[statement.Name{Schema: schema, Name: n.Name}]; ok {
			if !pure {
				p.refuse("a cast to " + n.Name + " depends on more than its argument")
			}
			return
		}
	}
	p.plan.Outdated = p.plan.Outdated || p.find(n, path) == nil // or the type of a table's rows
	p.refuse("the type " + n.Name + " is not known to depend on nothing else")
}
