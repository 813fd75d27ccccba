package statement

// Limits beyond which a statement is Unknown.
const (
	maxBytes = 1 << 20 // of text
	maxDepth = 200     // of brackets, expressions and queries in each other
	maxNames = 256     // of relations, functions, types, operators, CTEs: each
)

// Analyze tells what the text does. It needs time in proportion to the text, and
// never panics; it is safe for concurrent use.
func Analyze(sql string) Statement {
	if len(sql) > maxBytes {
		return Statement{Why: "the text is larger than 1 MiB"}
	}
	l := lex(sql)
	p := parser{tokens: l.tokens, why: l.why, numbered: l.params > 0}
	p.out.Params = l.params
	p.out.Why = l.note
	if p.why == "" {
		p.statement()
	}
	if p.why != "" {
		return Statement{Why: p.why, Hint: l.hint}
	}
	p.out.Hint = l.hint
	if p.out.Kind != Select {
		p.out.Why = ""
	}
	return p.out
}
