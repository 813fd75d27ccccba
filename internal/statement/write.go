package statement

// target notes that rows of a relation change. A CTE cannot be one.
func (p *parser) target(n Name, how How, columns []string) {
	if len(p.out.Writes) == maxNames {
		p.refuse("too many names")
	}
	p.out.Writes = append(p.out.Writes, Target{n, how, columns})
}

// insert reads what follows INSERT, or REPLACE, which replaces the rows in its way.
func (p *parser) insert(how How) {
	p.parts++
	if how == Insert && p.accept("or") {
		if p.accept("replace") {
			how = Update
		} else if !p.accept("ignore") && !p.accept("abort") {
			p.fail() // OR ROLLBACK ends the transaction
		}
	}
	p.expect("into")
	n := p.qualified()
	if p.accept("as") {
		p.name()
	}
	if t := p.look(1); p.saw("(") && !t.is("(") && !t.is("select") && !t.is("values") && !t.is("with") && !t.is("table") {
		p.targetColumns()
	}
	p.overriding()
	if !p.accept("default", "values") {
		p.query()
	}
	var columns []string
	for p.accept("on", "conflict") {
		p.conflictTarget()
		p.expect("do")
		if p.accept("nothing") {
			continue
		}
		p.expect("update", "set")
		how = Update
		columns = append(columns, p.assignments()...)
		if p.accept("where") {
			p.expression()
		}
	}
	p.target(n, how, columns)
	p.returning()
}

func (p *parser) overriding() {
	if p.accept("overriding") {
		p.accepts("user", "system")
		p.expect("value")
	}
}

// conflictTarget reads what stands between ON CONFLICT and DO.
func (p *parser) conflictTarget() {
	if p.accept("on", "constraint") {
		p.name()
	} else if p.accept("(") {
		for {
			p.expression()
			if p.peek().isName() { // an operator class
				p.qualified()
			}
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		if p.accept("where") {
			p.expression()
		}
	}
}

// targetColumns reads (column, …), each perhaps with fields or subscripts, and
// returns the columns.
func (p *parser) targetColumns() (columns []string) {
	p.expect("(")
	for {
		columns = append(columns, p.targetColumn())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return columns
}

func (p *parser) targetColumn() string {
	column := p.name()
	for {
		switch {
		case p.accept("."):
			p.label()
		case p.accept("["):
			p.subscript()
		default:
			return column
		}
	}
}

// assignments reads what follows SET, and returns the columns that are set.
func (p *parser) assignments() (columns []string) {
	for {
		if p.saw("(") {
			columns = append(columns, p.targetColumns()...)
		} else {
			columns = append(columns, p.targetColumn())
		}
		p.expect("=")
		p.expression()
		if !p.accept(",") {
			return columns
		}
	}
}

func (p *parser) returning() {
	if p.accept("returning") {
		p.columns()
	}
}

// changed reads the relation of an UPDATE, DELETE or MERGE with its alias.
func (p *parser) changed() Name {
	p.parts++
	p.items++
	inner := p.accept("only", "(")
	if !inner {
		p.accept("only")
	}
	n := p.qualified()
	if inner {
		p.expect(")")
	}
	p.accept("*")
	p.alias = n.Name
	if p.accept("as") || p.peek().isName() && !p.saw("set") {
		p.alias = p.name()
	}
	return n
}

func (p *parser) update() {
	n := p.changed()
	p.expect("set")
	columns := p.assignments()
	if p.accept("from") {
		p.from()
	}
	p.target(n, Update, columns)
	p.chosen()
}

func (p *parser) delete() {
	p.expect("from")
	n := p.changed()
	if p.accept("using") {
		p.from()
	}
	p.target(n, Delete, nil)
	p.chosen()
}

// chosen reads WHERE and RETURNING of an UPDATE or DELETE.
func (p *parser) chosen() {
	if p.accept("where", "current", "of") {
		p.name()
	} else {
		p.condition()
	}
	p.returning()
}

func (p *parser) merge() {
	p.expect("into")
	p.target(p.changed(), Update, nil)
	p.expect("using")
	p.item()
	p.expect("on")
	p.expression()
	for p.accept("when") {
		p.accept("not")
		p.expect("matched")
		p.accepts("by", "source", "target")
		if p.accept("and") {
			p.expression()
		}
		p.expect("then")
		switch {
		case p.accept("do", "nothing"), p.accept("delete"):
		case p.accept("update", "set"):
			p.assignments()
		default:
			p.expect("insert")
			if p.saw("(") {
				p.targetColumns()
			}
			p.overriding()
			if !p.accept("default", "values") {
				p.expect("values")
				p.brackets()
			}
		}
	}
	p.returning()
}
