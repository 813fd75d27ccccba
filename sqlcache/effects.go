package sqlcache

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// effects are what a statement, or all of a transaction, changes.
type effects struct {
	everything, schema bool
	session            bool // later statements on the connection may mean something else
	// names are those of tags, below the root. With the name of a row stands the name of
	// its table's unpinned changes, which can be taken for it.
	names   map[string]string
	version string // of the definitions by which names were found
}

const (
	// maxRows bounds the rows of one transaction that are told apart: each costs a script.
	maxRows = 32
	// maxNames bounds the names in all: more is everything.
	maxNames = 900
)

func (e *effects) none() bool { return !e.everything && len(e.names) == 0 }

func (e *effects) all() { e.everything, e.schema, e.names = true, true, nil }

func (e *effects) add(name, coarse string) {
	if coarse != "" && len(e.names) >= maxRows {
		name, coarse = coarse, ""
	}
	if e.names == nil {
		e.names = map[string]string{}
	}
	e.names[name] = coarse
}

// merge adds other effects. Those found by other definitions cannot be checked
// together.
func (e *effects) merge(o effects) {
	if o.none() {
		return
	}
	mixed := !e.none() && e.version != o.version
	e.version = o.version
	e.schema = e.schema || o.schema
	for name, coarse := range o.names {
		e.add(name, coarse)
	}
	if e.everything = e.everything || o.everything || mixed || len(e.names) > maxNames; e.everything {
		e.names = nil
	}
}

// write adds the tags of a table whose rows change.
func (e *effects) write(w catalog.Write, args arguments, params int) {
	e.add(tableName(w.Table), "")
	if w.Adds {
		return
	}
	coarse := unpinnedName(w.Table)
	if row, ok := rowName(w.Table, w.Row, args); ok && args.plain(params) {
		e.add(row, coarse)
	} else {
		e.add(coarse, "")
	}
}

// tags returns the tags of the effects on the database of a scope; nil is one that is
// not known.
func (e *effects) tags(s *scope) []string {
	switch {
	case e.none():
		return nil
	case s == nil:
		return []string{anyDatabase}
	case e.everything && e.schema:
		return []string{s.root, schemaTag(s.root)}
	case e.everything:
		return []string{s.root}
	}
	tags := make([]string, 0, len(e.names))
	for _, name := range slices.Sorted(maps.Keys(e.names)) {
		tags = append(tags, tagOf(s.root, name))
	}
	return tags
}

// count counts the write for each of its tables.
func (e *effects) count(t *tables) {
	if e.everything {
		t.add(everyTable)
		return
	}
	for name, coarse := range e.names {
		if coarse == "" && !strings.HasSuffix(name, "*") { // neither a row nor all rows
			t.add(name)
		}
	}
}

// effectsOf tells what a statement changes. What is not known to change nothing, or
// only what its plan says, changes everything.
func (c *conn) effectsOf(query string, s *statement.Statement, p *plan, sure bool, args arguments) effects {
	var e effects
	switch s.Kind {
	case statement.Session:
		e.session = true
	case statement.Unknown:
		e.session = strings.Contains(query, ";") || !keepsSession(query)
	case statement.Schema:
		e.session = !keepsSession(query)
	case statement.Select, statement.Write:
		e.session = p != nil && p.Session
	}
	foreign := c.dirty || p == nil || !sure // names may mean something else
	switch {
	case args.rewrites(), s.Kind == statement.Unknown, s.Kind == statement.Schema, p != nil && p.Schema:
		e.all()
	case p == nil && !onlyReads(s), p != nil && p.Everything:
		e.everything = true
	case c.dirty && !onlyReads(s) && s.Kind != statement.Session,
		foreign && p != nil && len(p.Writes) > 0:
		e.everything = true
	case p != nil:
		e.version = p.version
		for _, w := range p.Writes {
			e.write(w, args, s.Params)
		}
		e.everything = len(e.names) > maxNames
	}
	return e
}

// onlyReads tells by its text alone whether a statement changes nothing.
func onlyReads(s *statement.Statement) bool {
	return s.Kind == statement.Select && !slices.ContainsFunc(s.Functions, func(f statement.Name) bool {
		return f.Schema != "" || !pure[f.Name]
	})
}

// pure are functions that every database has, and that change nothing and depend on
// nothing but their arguments.
var pure = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq(`abs avg ceil ceiling coalesce concat count exists floor greatest
		group_concat ifnull length lower ltrim max min nullif replace round rtrim string_agg substr substring
		sum total trim upper`) {
		m[name] = true
	}
	return m
}()

// bar puts a barrier on the tags of a write that is about to be committed, and returns
// what lifts it when it has been, or has failed.
func (d *database) bar(ctx context.Context, s *scope, e effects) (lift func()) {
	tags := e.tags(s)
	if len(tags) == 0 {
		return func() {}
	}
	d.counters.writes.Add(1)
	if d.opts.Observer != nil {
		e.count(&d.counters.tables)
	}
	ctx = context.WithoutCancel(ctx) // what was written is written, whoever still waits
	up, over, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := d.cache.CommitTags(ctx, tags, func(context.Context) error {
			close(up)
			<-over
			return nil
		})
		d.undelivered(err)
	}()
	select {
	case <-up:
	case <-done: // the cache is closed
	}
	return func() {
		close(over)
		<-done
		if e.everything || s == nil || s.unchanged(ctx, e.version) {
			return
		}
		// Definitions have changed meanwhile, perhaps by a trigger that went off: what
		// the write has changed is not known.
		d.undelivered(d.cache.InvalidateTags(ctx, s.root))
	}
}

func (d *database) undelivered(err error) {
	if err != nil {
		d.failed("an invalidation could not be delivered", err)
	}
}
