package dashboard

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// declared is what programs say of their namespaces.
type declared struct {
	declarations map[subject]declaration
}

// declaration is what one feature's options and its owner say.
type declaration struct {
	observe.Subject
	Owner, Why, Invalidation, Criticality string
}

// readDeclared reads the registry.
func readDeclared(context.Context, conn.Conn, *figures) (declared, error) {
	return declared{}, nil
}

// ttl is the declared life of a namespace's entries.
func (d declared) ttl(s subject) time.Duration { return d.declarations[s].TTL }

// names lists the subjects of some kinds, those that are declared and those that were
// counted, without repetition.
func (s *snapshot) names(kinds ...observe.Kind) []subject {
	var all []subject
	for _, kind := range kinds {
		for _, name := range s.figures.names[kind] {
			all = append(all, subject{kind, name})
		}
	}
	for sub := range s.declarations {
		if slices.Contains(kinds, sub.kind) {
			all = append(all, sub)
		}
	}
	slices.SortFunc(all, func(a, b subject) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(string(a.kind), string(b.kind))
	})
	return slices.Compact(all)
}
