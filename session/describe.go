package session

import (
	"fmt"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describe tells what the options say of the store: for a declared strategy, and for
// whoever watches. It does not touch Redis.
func (s *Store[T]) Describe() observe.Subject {
	o := s.opt
	return observe.Subject{
		Kind:     observe.Session,
		Name:     o.Namespace,
		Prefixes: []string{o.Namespace + ":"},
		Pattern:  o.Namespace + ":{<user>}:<SHA-256 of the id>",
		Type:     "string",
		Value:    describe.Type[T](),
		TTL:      o.Lifetime,
		Policy: describe.Join(
			describe.If(o.IdleTimeout > 0, "ends after "+describe.Duration(o.IdleTimeout)+" without use"),
			fmt.Sprintf("at most %d for each user", o.MaxPerUser),
			describe.If(len(o.Keys) > 0, "encrypted"),
			describe.If(o.ServeStale > 0, "from memory for "+describe.Duration(o.ServeStale)+" while Redis is away"),
		),
	}
}
