package statement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// builtin are types whose values follow from the text and the session's settings.
var builtin = strings.Fields(`bool int2 int4 int8 float4 float8 numeric oid money text
	varchar bpchar char name bytea bit varbit uuid json jsonb jsonpath xml tsvector
	tsquery date time timestamp timestamptz interval inet cidr macaddr macaddr8 point
	line lseg box path polygon circle int4range int8range numrange tsrange tstzrange
	daterange`)

// compare says where the analyser is wrong about a statement that PostgreSQL takes;
// it returns "" where it is right, or says that it does not know.
func compare(s statement.Statement, t *tree) string {
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	switch {
	case s.Kind == statement.Unknown:
		return ""
	case t.statements > 1:
		return "several statements"
	case s.Kind != t.kind:
		complain("kind %d, not %d", s.Kind, t.kind)
	case s.Kind != statement.Select && s.Kind != statement.Write:
		return ""
	}
	if reads := list(s.Reads); reads.String() != t.reads.String() {
		complain("reads %v, not %v", reads, t.reads)
	}
	writes := names{}
	for _, w := range s.Writes {
		writes[full(w.Name)] = true
	}
	if writes.String() != t.writes.String() {
		complain("writes %v, not %v", writes, t.writes)
	}
	if s.Kind == statement.Select && t.moving && s.Why == "" {
		complain("the result must not be cached")
	}

	functions := list(s.Functions) // and some that are syntax, for PostgreSQL
	for f := range t.functions {
		if !functions[f] && !functions[strings.TrimPrefix(f, "pg_catalog.")] {
			complain("the function %s", f)
		}
	}

	casts := list(s.Casts)
	for name := range t.types {
		short := strings.TrimPrefix(name, "pg_catalog.")
		if !casts[name] && !casts[short] && !slices.Contains(builtin, short) {
			complain("the type %s", name)
		}
	}
	for _, p := range s.Pins {
		pin := p.Column + "=" + p.Literal
		if p.Param > 0 {
			pin = fmt.Sprintf("%s=$%d", p.Column, p.Param)
		}
		if !t.pins[pin] {
			complain("pinned to %s, not to %v", pin, t.pins)
		}
	}
	if len(s.Pins) > 0 && len(s.Reads)+len(s.Writes) != 1 {
		complain("pins without one relation")
	}
	return strings.Join(wrong, "; ")
}

func full(n statement.Name) string { return strings.TrimPrefix(n.Schema+"."+n.Name, ".") }

func list(all []statement.Name) names {
	out := names{}
	for _, n := range all {
		out[full(n)] = true
	}
	return out
}
