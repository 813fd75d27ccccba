package statement

import "slices"

// parser reads tokens by recursive descent. It accepts a little more than PostgreSQL
// does, which then runs nothing; but each token has one meaning only, so that no
// relation is overlooked. After fail, it stands at the end of the tokens, where every
// loop stops.
type parser struct {
	tokens []token
	at     int
	depth  int
	why    string // why it failed
	out    Statement

	ctes     []string // whose names are visible here
	into     bool     // SELECT INTO
	numbered bool     // there are parameters $n
	unnamed  int32    // parameters ?

	// What pins need: see pin.go.
	parts int    // SELECT, VALUES, INSERT, UPDATE …
	items int    // relations, functions and queries to take rows from, or to change
	alias string // of the last relation, or its name
	where [2]int // the tokens of the last condition
}

func (p *parser) peek() token { return p.look(0) }

func (p *parser) look(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.peek()
	p.at = min(p.at+1, len(p.tokens)-1)
	return t
}

// saw tells whether the next token is one of these keywords or signs.
func (p *parser) saw(any ...string) bool {
	t := p.peek()
	return t.kind <= operator && slices.Contains(any, t.text)
}

// accept moves over the keywords or signs, if all of them come now.
func (p *parser) accept(all ...string) bool {
	for i, s := range all {
		if !p.look(i).is(s) {
			return false
		}
	}
	p.at += len(all)
	return true
}

// accepts moves over any of these, as often as they come.
func (p *parser) accepts(any ...string) {
	for p.saw(any...) {
		p.next()
	}
}

func (p *parser) expect(all ...string) {
	if !p.accept(all...) {
		p.fail()
	}
}

// fail says that the next token was not understood. The reason quotes keywords and
// signs, no names or values.
func (p *parser) fail() {
	switch t := p.peek(); {
	case t.kind == word && reserved(t.text), t.kind == punctuation, t.kind == operator:
		p.refuse("not understood: " + t.text)
	case t.kind == end:
		p.refuse("the statement ends too early")
	default:
		p.refuse("not understood: a name or value where a keyword should be")
	}
}

func (p *parser) refuse(why string) {
	if p.why == "" {
		p.why = why
	}
	p.at = len(p.tokens) - 1
}

// note says why the result must not be cached.
func (p *parser) note(why string) {
	if p.out.Why == "" {
		p.out.Why = why
	}
}

func (p *parser) enter() {
	p.depth++
	if p.depth > maxDepth {
		p.refuse("too deep")
	}
}

func (p *parser) leave() { p.depth-- }

// isName tells whether t can name a column, a table or an alias.
func (t token) isName() bool {
	return t.kind == quoted || t.kind == word && !reserved(t.text) && !functional(t.text)
}

func (p *parser) name() string {
	if !p.peek().isName() {
		p.fail()
	}
	return p.next().text
}

// label reads a name where keywords are names too: after AS and after a dot.
func (p *parser) label() string {
	if k := p.peek().kind; k != word && k != quoted {
		p.fail()
	}
	return p.next().text
}

// qualified reads name or schema.name.
func (p *parser) qualified() Name {
	first := p.name()
	if !p.accept(".") {
		return Name{Name: first}
	}
	n := Name{first, p.label()}
	if p.saw(".") {
		p.refuse("a name with a database")
	}
	return n
}

// names reads (name, name …).
func (p *parser) names() {
	p.expect("(")
	for {
		p.name()
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

// add adds v to a list of the result, once.
func add[T comparable](p *parser, list *[]T, v T) {
	if slices.Contains(*list, v) {
		return
	}
	if len(*list) == maxNames {
		p.refuse("too many names")
	}
	*list = append(*list, v)
}
