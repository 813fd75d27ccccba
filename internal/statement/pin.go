package statement

import "strconv"

// pins returns the columns that the condition of the statement's one relation
// compares with a value.
func (p *parser) pins() []Pin {
	if p.parts != 1 || p.items != 1 || len(p.out.Reads)+len(p.out.Writes) != 1 {
		return nil
	}
	return p.conjuncts(nil, p.tokens[p.where[0]:p.where[1]], p.where[0])
}

// conjuncts adds the pins of an expression, whose first token is the offset-th, to
// pins. It was read without regard to precedence, so AND counts only where nothing
// that binds less or brings an AND of its own is beside it.
func (p *parser) conjuncts(pins []Pin, tokens []token, offset int) []Pin {
	var found []Pin
	start, between := 0, false
	for i := 0; i <= len(tokens); i++ {
		if i < len(tokens) {
			switch t := tokens[i]; {
			case t.is("(") || t.is("["):
				i = int(t.n) - offset
				continue
			case t.is("or"), t.is("case"):
				return pins
			case t.is("between"):
				between = true
				continue
			case t.is("and") && between:
				between = false
				continue
			case !t.is("and"):
				continue
			}
		}
		found = p.conjunct(found, tokens[start:i], offset+start)
		start = i + 1
	}
	return append(pins, found...)
}

// conjunct adds the pin that an operand of AND is, or those in its brackets.
func (p *parser) conjunct(pins []Pin, tokens []token, offset int) []Pin {
	if len(tokens) > 0 && tokens[0].is("(") && int(tokens[0].n) == offset+len(tokens)-1 {
		return p.conjuncts(pins, tokens[1:len(tokens)-1], offset+1)
	}
	for i, t := range tokens {
		if t.is("=") {
			pin, ok := p.pin(tokens[:i], tokens[i+1:])
			if !ok {
				pin, ok = p.pin(tokens[i+1:], tokens[:i])
			}
			if ok {
				pins = append(pins, pin)
			}
			break
		}
	}
	return pins
}

// pin returns column = value, if this is what the tokens on both sides are.
func (p *parser) pin(column, value []token) (pin Pin, ok bool) {
	if len(column) == 3 && column[1].is(".") && column[0].text == p.alias {
		column = column[2:]
	}
	if len(column) != 1 || !column[0].isName() {
		return Pin{}, false
	}
	pin.Column = column[0].text
	if len(value) == 3 && value[1].is("::") && exactType(value[2]) {
		value = value[:1]
	}
	if len(value) != 1 {
		return Pin{}, false
	}
	switch v := value[0]; v.kind {
	case dollar, unnamed:
		pin.Param = int(v.n)
	case text:
		pin.Literal = v.text
	case number:
		// An integer as it is printed: not 1.0, 1e0 or 01.
		if i, err := strconv.ParseInt(v.text, 10, 64); err != nil || strconv.FormatInt(i, 10) != v.text {
			return Pin{}, false
		}
		pin.Literal = v.text
	default:
		return Pin{}, false
	}
	return pin, true
}

// exactType tells whether a cast to the type names the same row.
func exactType(t token) bool {
	switch t.text {
	case "smallint", "int2", "int", "integer", "int4", "bigint", "int8", "text", "uuid":
		return t.kind == word
	}
	return false
}
