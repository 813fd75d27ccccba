package statement

// call reads the arguments of a function and what follows them. A keyword is a bare
// name without a schema.
func (p *parser) call(n Name, keyword bool) {
	var special string
	if keyword {
		special = n.Name
	}
	switch special {
	case "coalesce", "nullif", "greatest", "least", "grouping", "trim", "position", "extract":
		// Syntax, or immutable.
	default:
		add(p, &p.out.Functions, n)
	}
	p.expect("(")
	p.arguments(special)
	p.expect(")")
	if p.accept("within", "group", "(") {
		p.expect("order", "by")
		p.order()
		p.expect(")")
	}
	if p.accept("filter", "(") {
		p.expect("where")
		p.expression()
		p.expect(")")
	}
	if p.accept("over") {
		if p.saw("(") {
			p.window()
		} else {
			p.name()
		}
	}
}

// arguments reads what stands between the brackets of a call.
func (p *parser) arguments(special string) {
	if p.saw(")") || p.accept("*") {
		return
	}
	if !p.accept("all") {
		p.accept("distinct")
	}
	if special == "trim" {
		p.accepts("both", "leading", "trailing", "from")
	}
	for {
		p.accept("variadic")
		if t := p.look(1); t.is(":=") || t.is("=>") {
			p.label()
			p.next()
		}
		p.expression()
		if !p.accept(",") && !p.separator(special) {
			break
		}
	}
	if p.accept("order", "by") {
		p.order()
	}
}

// separator reads a keyword that stands for a comma in some functions.
func (p *parser) separator(special string) bool {
	switch special {
	case "extract", "trim":
		return p.accept("from")
	case "position":
		return p.accept("in")
	case "substring":
		return p.accept("from") || p.accept("for")
	case "overlay":
		return p.accept("placing") || p.accept("from") || p.accept("for")
	}
	return false
}

// window reads a window's definition.
func (p *parser) window() {
	p.expect("(")
	if !p.saw("partition", "order", "range", "rows", "groups", ")") {
		p.name()
	}
	if p.accept("partition", "by") {
		p.list()
	}
	if p.accept("order", "by") {
		p.order()
	}
	if p.saw("range", "rows", "groups") {
		p.next()
		if p.accept("between") {
			p.bound()
			p.expect("and")
		}
		p.bound()
		if p.accept("exclude") {
			p.accepts("current", "row", "group", "ties", "no", "others")
		}
	}
	p.expect(")")
}

// bound reads one end of a frame.
func (p *parser) bound() {
	if p.accept("current", "row") {
		return
	}
	if !p.accept("unbounded") {
		p.expression()
	}
	if !p.accept("preceding") {
		p.expect("following")
	}
}
