package statement

// expression reads operands and the operators between them. Precedence does not
// matter here: AND and = are operators like any other.
func (p *parser) expression() {
	p.enter()
	defer p.leave()
	for {
		p.prefixes()
		p.operand()
		p.suffixes()
		if !p.infix() {
			return
		}
	}
}

// list reads expressions with commas between them.
func (p *parser) list() {
	for {
		p.expression()
		if !p.accept(",") {
			return
		}
	}
}

func (p *parser) prefixes() {
	for {
		switch t := p.peek(); {
		case t.is("not"):
			p.next()
		case t.kind == operator && t.text[0] != '?': // ?- could be a parameter and a minus
			p.operator()
		default:
			return
		}
	}
}

func (p *parser) operator() {
	t := p.next()
	if t.kind != operator {
		p.fail()
	} else if !builtinOperator(t.text) {
		add(p, &p.out.Operators, t.text)
	}
}

// infix reads an operator after which another operand must come.
func (p *parser) infix() bool {
	switch {
	case p.peek().kind == operator:
		p.operator()
	case p.accept("and"), p.accept("or"), p.accept("overlaps"), p.accept("escape"),
		p.accept("at", "time", "zone"),
		p.accept("is", "distinct", "from"), p.accept("is", "not", "distinct", "from"):
	default:
		at := p.at
		p.accept("not")
		switch {
		case p.accept("like"), p.accept("ilike"), p.accept("similar", "to"):
		case p.accept("between"):
			if !p.accept("symmetric") {
				p.accept("asymmetric")
			}
		case p.saw("in") && p.look(1).is("("): // SQLite knows IN table
			p.next()
		default:
			p.at = at
			return false
		}
	}
	return true
}

// suffixes reads what belongs to the operand before it.
func (p *parser) suffixes() {
	for {
		switch {
		case p.accept("::"):
			p.typeName()
		case p.accept("["):
			p.subscript()
		case p.accept("."):
			if !p.accept("*") {
				p.label()
			}
		case p.saw("collate"):
			p.collation()
		case p.accept("at", "local"), p.accept("isnull"), p.accept("notnull"):
		case p.saw("is") && p.truth(1), p.saw("is") && p.look(1).is("not") && p.truth(2):
			p.accepts("is", "not")
			p.next()
		default:
			return
		}
	}
}

// truth tells whether the nth token is what IS compares with.
func (p *parser) truth(n int) bool {
	t := p.look(n)
	return t.is("null") || t.is("true") || t.is("false") || t.is("unknown")
}

// subscript reads the rest of [i], or of [i:j] with both ends optional.
func (p *parser) subscript() {
	if !p.saw(":") {
		p.expression()
	}
	if p.accept(":") && !p.saw("]") {
		p.expression()
	}
	p.expect("]")
}

func (p *parser) collation() {
	if p.accept("collate") {
		p.qualified()
	}
}

// operand reads what stands between operators.
func (p *parser) operand() {
	t := p.peek()
	switch {
	case t.kind >= text && t.kind <= dollar:
		p.next()
	case t.is("?"):
		p.parameter()
	case t.is("("):
		p.brackets()
	case t.kind == quoted:
		p.path()
	case t.kind != word:
		p.fail()
	default:
		p.keyword(t.text)
	}
}

// parameter reads a ?, which is no operator where an operand must be.
func (p *parser) parameter() {
	if p.numbered {
		p.refuse("parameters of two kinds")
		return
	}
	p.unnamed++
	p.out.Params = int(p.unnamed)
	p.tokens[p.at].kind, p.tokens[p.at].n = unnamed, p.unnamed
	p.next()
}

// brackets reads a query, a row, or an expression in brackets.
func (p *parser) brackets() {
	p.expect("(")
	if p.startsQuery() {
		p.query()
	} else {
		p.list()
		p.rest() // of a query in brackets of its own
	}
	p.expect(")")
}

// keyword reads an operand that begins with a word.
func (p *parser) keyword(w string) {
	switch w {
	case "null", "true", "false", "default":
		p.next()
	case "case":
		p.cases()
	case "cast":
		p.next()
		p.expect("(")
		p.expression()
		p.expect("as")
		p.typeName()
		p.expect(")")
	case "exists", "any", "some", "all":
		p.next()
		p.brackets()
	case "row":
		p.next()
		if !p.accept("(", ")") {
			p.brackets()
		}
	case "array":
		p.next()
		if p.saw("[") {
			p.array()
		} else {
			p.brackets()
		}
	default:
		switch {
		case environment(w) && !(w == "current_schema" && p.calls()):
			p.next()
			p.note("a keyword that the session or the clock answers")
			p.precision()
		case reserved(w):
			p.fail()
		default:
			p.path()
		}
	}
}

func (p *parser) cases() {
	p.expect("case")
	if !p.saw("when") {
		p.expression()
	}
	for p.accept("when") {
		p.expression()
		p.expect("then")
		p.expression()
	}
	if p.accept("else") {
		p.expression()
	}
	p.expect("end")
}

// array reads [a, b] or [[a, b], [c, d]].
func (p *parser) array() {
	p.enter()
	defer p.leave()
	p.expect("[")
	for !p.saw("]") {
		if p.saw("[") {
			p.array()
		} else {
			p.expression()
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
}

// path reads a column, a function call, or a typed literal such as date '2000-01-01'.
func (p *parser) path() {
	first := p.peek()
	if p.startsTyped(first) {
		p.typeName()
		if !p.peek().isString() {
			p.fail()
		}
		p.next()
		if first.is("interval") {
			p.intervalFields()
		}
		return
	}
	n := Name{Name: p.next().text}
	parts := 1
	for p.accept(".") {
		if p.accept("*") {
			return
		}
		n = Name{n.Name, p.label()}
		parts++
	}
	switch {
	case p.saw("(") && parts <= 2:
		p.call(n, first.kind == word && parts == 1)
	case parts == 1 && first.kind == word && functional(first.text):
		p.fail()
	}
}

// startsTyped tells whether a type with a literal comes now.
func (p *parser) startsTyped(first token) bool {
	n := 1
	if p.look(1).is(".") {
		n = 3
	}
	if p.look(n).isString() {
		return true
	}
	return (first.is("timestamp") || first.is("time")) && (p.look(1).is("with") || p.look(1).is("without")) ||
		first.is("double") && p.look(1).is("precision")
}
