package statement

// typeName reads a type, and adds it to Casts unless it is a built-in one by its bare
// name.
func (p *parser) typeName() {
	t := p.peek()
	n := Name{Name: p.label()}
	if t.kind == word && reserved(t.text) {
		p.fail()
	}
	bare := t.kind == word
	if p.accept(".") {
		n, bare = Name{n.Name, p.label()}, false
	}
	if bare {
		n.Name = p.longType(n.Name)
	}
	if n.Name == "timetz" {
		p.note("a time with a zone, whose offset follows the day")
	}
	if !bare || !builtinType(n.Name) {
		add(p, &p.out.Casts, n)
	}
	if p.accept("(") { // its length, or the like
		p.list()
		p.expect(")")
	}
	for p.accept("[") {
		if p.peek().kind == number {
			p.next()
		}
		p.expect("]")
	}
	if p.accept("array") && p.accept("[") {
		p.next()
		p.expect("]")
	}
}

// longType reads the other words of a type, and returns its name in one word.
func (p *parser) longType(first string) string {
	switch first {
	case "double":
		p.expect("precision")
		return "float8"
	case "national":
		if !p.accept("character") {
			p.expect("char")
		}
		p.accept("varying")
		return "char"
	case "character", "char", "nchar", "bit":
		p.accept("varying")
	case "time", "timestamp":
		p.precision()
		if p.accept("with", "time", "zone") {
			return first + "tz"
		}
		p.accept("without", "time", "zone")
	case "interval":
		p.intervalFields()
	}
	return first
}

// intervalFields reads YEAR TO MONTH and the like, with a precision.
func (p *parser) intervalFields() {
	p.accepts("year", "month", "day", "hour", "minute", "second", "to")
	p.precision()
}

// precision reads (n), if it comes now.
func (p *parser) precision() {
	if p.look(1).kind == number && p.accept("(") {
		p.next()
		p.expect(")")
	}
}
