package sqlcache

import (
	"context"

	"github.com/larder-go/larder/internal/statement"
)

// Other is the dialect of a database of which nothing is known. Only SELECTs are cached
// that name tags, and whatever is not plainly a SELECT drops everything of the
// namespace. Each database wants a namespace of its own.
func Other() Dialect { return other{} }

type other struct{}

func (other) Scope(context.Context, Queryer) (Scope, error) { return Scope{Database: "other"}, nil }

func (other) Catalog(context.Context, Queryer) (Catalog, error) { return other{}, nil }

func (other) Plan(s Statement) Plan {
	switch {
	case !onlyReads(&s):
		return Plan{Everything: true, Why: "it is not plainly a SELECT", Session: s.Kind == statement.Session}
	case s.Why != "":
		return Plan{Why: s.Why}
	}
	return Plan{Cacheable: true}
}
