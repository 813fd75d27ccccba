package catalog

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// Canonical returns the one way to write a value of this type in a tag. Texts that
// PostgreSQL may read as such a value but that it does not know have none.
func (t KeyType) Canonical(text string) (string, bool) {
	switch t {
	case Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	case UUID:
		digits := strings.ReplaceAll(text, "-", "")
		b, err := hex.DecodeString(digits)
		plain := len(text) == 32 || len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-'
		return hex.EncodeToString(b), err == nil && len(b) == 16 && plain
	default:
		return text, true
	}
}

// row is the one row that a statement pins in the one relation that it names; nil where
// it may be any.
func (p *planner) row(s statement.Statement) []Value {
	r := p.only(s)
	if r == nil || r.store == nil || len(r.store.members) > 1 || r.store.table.Key == nil {
		return nil
	}
	var row []Value
	for _, column := range r.store.table.Key {
		i := slices.IndexFunc(s.Pins, func(pin statement.Pin) bool { return pin.Column == column.Name })
		if i < 0 || sets(s, column.Name) {
			return nil
		}
		v := Value{Param: s.Pins[i].Param}
		if v.Param == 0 {
			var ok bool
			if v.Literal, ok = column.Type.Canonical(s.Pins[i].Literal); !ok {
				return nil
			}
		}
		row = append(row, v)
	}
	return row
}

// only is the one relation that a statement names; nil where there are more.
func (p *planner) only(s statement.Statement) *relation {
	names := slices.Clone(s.Reads)
	for _, t := range s.Writes {
		names = append(names, t.Name)
	}
	if len(names) == 0 || len(s.Writes) > 1 || slices.ContainsFunc(names, func(n statement.Name) bool { return n != names[0] }) {
		return nil
	}
	return p.find(names[0], p.searchPath)
}

// sets tells whether a statement may set a column, or adds rows with it.
func sets(s statement.Statement, column string) bool {
	return slices.ContainsFunc(s.Writes, func(t statement.Target) bool {
		return t.How == statement.Insert ||
			t.How == statement.Update && (len(t.Columns) == 0 || slices.Contains(t.Columns, column))
	})
}
