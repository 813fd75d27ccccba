package statement

import "strings"

// from reads what follows FROM or USING: a list of relations and joins.
func (p *parser) from() {
	for {
		p.joined()
		if !p.accept(",") {
			return
		}
	}
}

// joined reads relations with JOIN between them. How they are nested does not matter.
func (p *parser) joined() {
	p.enter()
	defer p.leave()
	p.item()
	for {
		switch {
		case p.saw("join", "inner", "left", "right", "full", "cross", "natural"):
			p.accepts("inner", "left", "right", "full", "cross", "natural", "outer")
			p.expect("join")
			p.item()
		case p.accept("on"):
			p.expression()
		case p.accept("using"):
			p.names()
			if p.accept("as") {
				p.name()
			}
		default:
			return
		}
	}
}

// item reads one relation, function or query with its alias.
func (p *parser) item() {
	p.accept("lateral")
	p.alias = ""
	switch {
	case p.accept("("):
		p.items++
		if p.startsQuery() {
			p.query()
		} else {
			p.joined()
			p.rest() // of a query in brackets of its own
		}
		p.expect(")")
	case p.accept("rows", "from", "("):
		p.items++
		for {
			p.expression()
			p.definition()
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		p.accept("with", "ordinality")
	case p.accept("only"):
		inner := p.accept("(")
		p.relation()
		if inner {
			p.expect(")")
		}
	case p.peek().kind == word && environment(p.peek().text), p.calls():
		p.items++
		p.operand()
		p.accept("with", "ordinality")
	default:
		p.relation()
		p.accept("*")
	}
	p.correlation()
	if p.accept("tablesample") {
		p.note("TABLESAMPLE")
		p.qualified()
		p.brackets()
		if p.accept("repeatable") {
			p.brackets()
		}
	}
}

// calls tells whether a function call comes now: a name, perhaps with a schema, and
// a bracket.
func (p *parser) calls() bool {
	if k := p.peek().kind; k != word && k != quoted {
		return false
	}
	return p.look(1).is("(") || p.look(1).is(".") && p.look(3).is("(")
}

func (p *parser) relation() {
	n := p.qualified()
	p.alias = n.Name
	p.read(n)
}

// correlation reads an alias, if there is one, with the columns it names.
func (p *parser) correlation() {
	if p.accept("as") {
		if p.saw("(") { // the columns of a function
			p.definitions()
			return
		}
		p.alias = p.name()
	} else if p.peek().isName() {
		p.alias = p.name()
	} else {
		return
	}
	if p.saw("(") {
		p.definitions()
	}
}

// definition reads AS (column type, …), if it comes now.
func (p *parser) definition() {
	if p.accept("as") {
		p.definitions()
	}
}

// definitions reads (column, …) or (column type, …).
func (p *parser) definitions() {
	p.expect("(")
	for {
		p.name()
		if !p.saw(",", ")") {
			p.typeName()
			p.collation()
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

// system tells whether a relation is not of the users: what it shows changes without
// a statement that names it.
func system(n Name) bool {
	if n.Schema != "" {
		return n.Schema == "information_schema" || strings.HasPrefix(n.Schema, "pg_")
	}
	return strings.HasPrefix(n.Name, "pg_") || strings.HasPrefix(n.Name, "sqlite_") ||
		strings.HasPrefix(n.Name, "pragma_")
}
