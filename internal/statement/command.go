package statement

// statement reads the whole text, which is one statement.
func (p *parser) statement() {
	p.enter()
	defer p.leave()
	switch first := p.peek(); {
	case first.kind == end:
		p.out.Kind = Harmless
	case p.startsQuery(), p.saw("(", "insert", "update", "delete", "merge", "replace"):
		p.query()
		p.out.Kind = p.queried()
		if p.peek().kind != end {
			p.fail()
		}
	case first.kind == word:
		p.next()
		p.out.Kind = p.command(first.text)
	default:
		p.fail()
	}
}

// queried returns what kind of statement the query is.
func (p *parser) queried() Kind {
	session := false
	for _, f := range p.out.Functions {
		session = session || f.Name == "set_config"
	}
	switch {
	case session && (p.into || len(p.out.Writes) > 0):
		p.refuse("set_config in a write")
		return Unknown
	case session:
		return Session
	case p.into:
		return Schema
	case len(p.out.Writes) > 0:
		if p.out.Writes[0].How != Insert {
			p.out.Pins = p.pins()
		}
		return Write
	}
	p.out.Pins = p.pins()
	return Select
}

// command returns the kind of a statement that begins with the keyword, which was
// read.
func (p *parser) command(first string) Kind {
	switch first {
	case "begin", "start":
		return Begin
	case "commit", "end":
		if p.accept("prepared") {
			return Schema
		}
		return p.ended(Commit)
	case "abort", "rollback":
		if p.accept("prepared") {
			return Schema
		}
		p.accepts("work", "transaction")
		if p.saw("to") {
			return Savepoint
		}
		return p.ended(Rollback)
	case "savepoint", "release":
		return Savepoint
	case "create":
		return p.create()
	case "alter", "drop", "grant", "revoke", "comment", "security", "reassign", "import",
		"truncate", "refresh", "do", "call", "copy", "execute":
		return Schema
	case "set":
		if p.saw("transaction", "constraints") {
			return Harmless // until the end of the transaction
		}
		return Session
	case "reset", "discard", "load", "pragma", "attach", "detach":
		return Session
	case "prepare":
		if p.saw("transaction") {
			p.refuse("PREPARE TRANSACTION")
			return Unknown
		}
		return Session
	case "explain":
		return p.explain()
	case "declare":
		return p.cursor()
	case "show", "listen", "unlisten", "notify", "lock", "analyze", "analyse", "vacuum",
		"fetch", "move", "close", "deallocate", "checkpoint", "cluster", "reindex":
		return Harmless
	}
	p.refuse("a statement of a kind that is not known")
	return Unknown
}

// ended returns the kind of a COMMIT or ROLLBACK, unless a transaction follows it.
func (p *parser) ended(k Kind) Kind {
	p.accepts("work", "transaction")
	if p.accept("and", "chain") {
		p.refuse("AND CHAIN")
		return Unknown
	}
	return k
}

// create tells temporary objects from others.
func (p *parser) create() Kind {
	p.accept("or", "replace")
	p.accepts("global", "local")
	temporary := p.saw("temp", "temporary")
	for ; p.peek().kind != end; p.next() {
		t := p.peek()
		if temporary && t.is("as") || t.text == "pg_temp" {
			p.refuse("a temporary object with a query, or in pg_temp")
			return Unknown
		}
	}
	if temporary {
		return Session
	}
	return Schema
}

// explain reads what follows EXPLAIN. With ANALYZE, the statement runs.
func (p *parser) explain() Kind {
	runs := false
	if t := p.peek(); t.is("(") {
		for ; p.at < int(t.n); p.at++ {
			option := p.peek().text
			runs = runs || option == "analyze" || option == "analyse"
		}
		p.expect(")")
	}
	for p.saw("analyze", "analyse", "verbose") {
		runs = runs || p.next().text != "verbose"
	}
	if !runs {
		return Harmless
	}
	p.note("EXPLAIN")
	p.statement()
	return p.out.Kind
}

// cursor reads what follows DECLARE.
func (p *parser) cursor() Kind {
	for !p.saw("for") && p.peek().kind != end {
		p.next()
	}
	p.expect("for")
	p.note("a cursor")
	p.statement()
	return p.out.Kind
}
