package catalog

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// trigger is one that is enabled.
type trigger struct {
	events  int // bits of pg_trigger.tgtype
	routine *routine
}

// The bits of pg_trigger.tgtype that matter.
const (
	beforeRow = 1<<0 | 1<<1
	onInsert  = 1 << 2
	onDelete  = 1 << 3
	onUpdate  = 1 << 4
)

// events are those that a change may fire. INSERT … ON CONFLICT counts as an update.
var events = map[statement.How]int{
	statement.Insert: onInsert,
	statement.Update: onInsert | onUpdate,
	statement.Delete: onDelete,
}

// step is a change whose consequences were followed; columns are those that an update
// sets.
type step struct {
	store   *store
	how     statement.How
	columns string
}

// write adds what changes when rows of a relation do. An update without columns is a
// MERGE, which may delete.
func (p *planner) write(r *relation, t statement.Target, row []Value) {
	switch {
	case r.store != nil && !r.isRemote():
		p.change(r.store, t.How, t.Columns, row)
		if t.How == statement.Update && len(t.Columns) == 0 {
			p.change(r.store, statement.Delete, nil, nil)
		}
	case r.temporary && r.kind == base:
		for how := range events {
			p.fire(r, how)
		}
	case r.view != nil:
		// It writes through to one of its tables, or its triggers do something else.
		p.read(r)
		for how := range events {
			p.fire(r, how)
		}
		for _, below := range r.view.reads {
			p.write(below, statement.Target{How: t.How}, nil)
		}
	default:
		p.plan.Schema = p.plan.Schema || r.kind == system
		p.everything(r.name.Name + " is no table of this database's own")
	}
}

// change adds what follows when rows of a store change: all of them that row, if
// there is one, does not rule out, in these columns or, without any, in all.
func (p *planner) change(s *store, how statement.How, columns []string, row []Value) {
	for _, member := range s.members {
		if assigned := p.fire(member, how); assigned && how == statement.Update {
			columns, row = nil, nil
		}
	}
	if s.replaces && how != statement.Delete {
		row = nil
		p.change(s, statement.Delete, nil, nil)
	}
	p.note(&s.table, row, how == statement.Insert)
	done := step{s, how, strings.Join(columns, "\n")}
	if p.done[done] {
		return
	}
	p.done[done] = true
	if how == statement.Update && len(s.members) > 1 {
		p.change(s, statement.Delete, nil, nil) // a row that moves is deleted
	}
	for _, f := range s.children {
		act := action("")
		switch {
		case how == statement.Delete:
			act = f.onDelete
		case how == statement.Update && (len(columns) == 0 || s.generated || overlap(columns, f.references)):
			act = f.onUpdate
		}
		switch {
		case act == cascade && how == statement.Delete:
			p.change(f.child, statement.Delete, nil, nil)
		case act == cascade, act == setNull, act == setDefault:
			p.change(f.child, statement.Update, f.columns, nil)
		}
	}
}

// fire adds what rules, triggers and the functions of columns do, and tells whether
// they may set columns of the row.
func (p *planner) fire(r *relation, how statement.How) (assigned bool) {
	if r.rules {
		p.everything(r.name.Name + " has rules, or what is not understood")
	}
	if how != statement.Delete {
		for _, f := range r.calls {
			p.run(f, p.path)
		}
	}
	for _, f := range r.policies {
		p.run(f, p.path)
	}
	for _, t := range r.triggers {
		if t.events&events[how] != 0 {
			p.execute(t.routine, p.searchPath)
			assigned = assigned || t.events&beforeRow == beforeRow
		}
	}
	return assigned
}

// note adds a table to those that change.
func (p *planner) note(t *Table, row []Value, adds bool) {
	if i, ok := p.written[t]; ok {
		w := &p.plan.Writes[i]
		w.Row, w.Adds = nil, w.Adds && adds
		return
	}
	p.written[t] = len(p.plan.Writes)
	p.plan.Writes = append(p.plan.Writes, Write{Table: t, Row: row, Adds: adds})
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
