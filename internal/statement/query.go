package statement

import "slices"

// query reads what may stand alone, in a CTE or in brackets: a SELECT of any form, or
// an INSERT, UPDATE, DELETE or MERGE.
func (p *parser) query() {
	p.enter()
	defer p.leave()
	outer := len(p.ctes)
	if p.accept("with") {
		p.with()
	}
	switch {
	case p.accept("insert"):
		p.insert(Insert)
	case p.accept("replace"):
		p.insert(Update)
	case p.accept("update"):
		p.update()
	case p.accept("delete"):
		p.delete()
	case p.accept("merge"):
		p.merge()
	default:
		p.term()
		p.rest()
	}
	p.ctes = p.ctes[:outer]
}

// startsQuery tells whether a query comes now, if it is not in brackets of its own.
func (p *parser) startsQuery() bool { return p.saw("select", "values", "table", "with") }

// with reads the CTEs, whose names stay visible until query has ended. Without
// RECURSIVE, each sees those before it; with it, all of them.
func (p *parser) with() {
	recursive := p.accept("recursive")
	if recursive {
		p.declare()
	}
	for {
		name := p.name()
		if p.saw("(") {
			p.names()
		}
		p.expect("as")
		if !p.accept("not", "materialized") {
			p.accept("materialized")
		}
		p.expect("(")
		p.query()
		p.expect(")")
		if !recursive {
			p.see(name)
		}
		if !p.accept(",") {
			return
		}
	}
}

// declare looks ahead for the names of all CTEs.
func (p *parser) declare() {
	at := p.at
	defer func() {
		if p.why == "" {
			p.at = at
		}
	}()
	for {
		p.see(p.name())
		p.skip()
		p.expect("as")
		p.accepts("not", "materialized")
		p.skip()
		if !p.accept(",") {
			return
		}
	}
}

// skip moves over what stands in brackets, if they come now.
func (p *parser) skip() {
	if t := p.peek(); t.is("(") {
		p.at = int(t.n) + 1
	}
}

func (p *parser) see(cte string) {
	if len(p.ctes) == maxNames {
		p.refuse("too many names")
	}
	p.ctes = append(p.ctes, cte)
}

// read notes that rows of a relation are looked at, unless it is a CTE.
func (p *parser) read(n Name) {
	p.items++
	if n.Schema == "" && slices.Contains(p.ctes, n.Name) {
		return
	}
	if system(n) {
		p.note("a relation of the system")
	}
	add(p, &p.out.Reads, n)
}

// term reads one operand of UNION.
func (p *parser) term() {
	switch {
	case p.accept("("):
		p.query()
		p.expect(")")
	case p.accept("select"):
		p.parts++
		p.selection()
	case p.accept("values"):
		p.parts++
		for {
			p.expect("(")
			p.list()
			p.expect(")")
			if !p.accept(",") {
				return
			}
		}
	case p.accept("table"):
		p.parts++
		p.accept("only")
		p.read(p.qualified())
		p.accept("*")
	default:
		p.fail()
	}
}

// rest reads what may follow the first operand of UNION.
func (p *parser) rest() {
	for p.saw("union", "intersect", "except") {
		p.next()
		if !p.accept("all") {
			p.accept("distinct")
		}
		p.term()
	}
	p.tail()
}

// tail reads what follows a SELECT.
func (p *parser) tail() {
	for {
		switch {
		case p.accept("order", "by"):
			p.order()
		case p.accept("limit"):
			if !p.accept("all") {
				p.list() // SQLite knows LIMIT offset, count
			}
		case p.accept("offset"):
			p.expression()
			p.accepts("row", "rows")
		case p.accept("fetch"):
			p.accepts("first", "next")
			if !p.saw("row", "rows") {
				p.expression()
			}
			p.accepts("row", "rows")
			if !p.accept("only") {
				p.expect("with", "ties")
			}
		case p.accept("for"):
			p.lock()
		default:
			return
		}
	}
}

// lock reads what follows FOR.
func (p *parser) lock() {
	p.note("a locking clause")
	if !p.accept("update") && !p.accept("no", "key", "update") && !p.accept("share") {
		p.expect("key", "share")
	}
	if p.accept("of") {
		for {
			p.qualified()
			if !p.accept(",") {
				break
			}
		}
	}
	if !p.accept("nowait") {
		p.accept("skip", "locked")
	}
}

// selection reads what follows SELECT.
func (p *parser) selection() {
	if p.accept("distinct") {
		if p.accept("on") {
			p.expect("(")
			p.list()
			p.expect(")")
		}
	} else {
		p.accept("all")
	}
	if !p.saw("from", "where", "into", ")") && p.peek().kind != end {
		p.columns()
	}
	if p.accept("into") {
		p.into = true
		if p.saw("temp", "temporary", "local", "global") {
			p.refuse("SELECT INTO a temporary table")
		}
		p.accepts("unlogged", "table")
		p.qualified()
	}
	if p.accept("from") {
		p.from()
	}
	p.condition()
	if p.accept("group", "by") {
		if !p.accept("all") {
			p.accept("distinct")
		}
		p.grouping()
	}
	if p.accept("having") {
		p.expression()
	}
	if p.accept("window") {
		for {
			p.name()
			p.expect("as")
			p.window()
			if !p.accept(",") {
				break
			}
		}
	}
}

// columns reads the list of a SELECT, or of RETURNING.
func (p *parser) columns() {
	for {
		if !p.accept("*") {
			p.expression()
			if p.accept("as") {
				p.label()
			} else if p.peek().isName() {
				p.next()
			}
		}
		if !p.accept(",") {
			return
		}
	}
}

// condition reads WHERE, if it comes now.
func (p *parser) condition() {
	if p.accept("where") {
		start := p.at
		p.expression()
		p.where = [2]int{start, p.at}
	}
}

// grouping reads what follows GROUP BY.
func (p *parser) grouping() {
	p.enter()
	defer p.leave()
	for {
		switch {
		case p.accept("(", ")"):
		case p.accept("rollup", "("), p.accept("cube", "("), p.accept("grouping", "sets", "("):
			p.grouping()
			p.expect(")")
		default:
			p.expression()
		}
		if !p.accept(",") {
			return
		}
	}
}

// order reads what follows ORDER BY.
func (p *parser) order() {
	for {
		p.expression()
		if !p.accept("asc") && !p.accept("desc") && p.accept("using") {
			p.operator()
		}
		if p.accept("nulls") {
			p.accepts("first", "last")
		}
		if !p.accept(",") {
			return
		}
	}
}
