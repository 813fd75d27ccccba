package dashboard

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

// declared is what services say of their caches, limits, sessions and topics.
type declared struct {
	claims   map[subject]strategy.Claim
	warnings []strategy.Warning
}

// readDeclared reads what all services have declared. Of several claims on a subject,
// that of a running service counts, the newest first.
func readDeclared(ctx context.Context, c conn.Conn) (declared, error) {
	doc, err := strategy.Read(ctx, c)
	if err != nil {
		return declared{}, err
	}
	d := declared{claims: map[subject]strategy.Claim{}, warnings: doc.Warnings}
	for i := range doc.Services {
		s := &doc.Services[i]
		for _, decl := range s.Declarations {
			sub := subject{decl.Kind, decl.Name}
			old, there := d.claims[sub]
			if !there || s.Alive() && !old.Alive() || s.Alive() == old.Alive() && s.Since.After(old.Since) {
				d.claims[sub] = strategy.Claim{Service: s, Declaration: decl}
			}
		}
	}
	return d, nil
}

// ttl is the declared life of a subject's keys, owner whom to ask about it.
func (d declared) ttl(s subject) time.Duration { return d.claims[s].Declaration.TTL }
func (d declared) owner(s subject) string      { return d.claims[s].Declaration.About.Owner }

// names lists the subjects of some kinds, those that are declared and those that were
// counted, without repetition.
func (s *snapshot) names(kinds ...observe.Kind) []subject {
	var all []subject
	for _, kind := range kinds {
		for _, name := range s.figures.names[kind] {
			all = append(all, subject{kind, name})
		}
	}
	for sub := range s.claims {
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

// warningsOf are those that concern a subject.
func (d declared) warningsOf(s subject) (texts []string) {
	for _, w := range d.warnings {
		if slices.Contains(w.Subjects, strategy.Name{Kind: s.kind, Name: s.name}) {
			texts = append(texts, w.Text)
		}
	}
	return texts
}
