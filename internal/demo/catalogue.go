package demo

import (
	"context"
	"fmt"
)

// catalogue is what a workload can ask for and change.
type catalogue struct {
	packages []string // the public ones, the most imported first
	symbols  map[string][]string
	words    []string // distinct search words of at least three letters
}

func (s *store) catalogue(ctx context.Context) (catalogue, error) {
	c := catalogue{symbols: map[string][]string{}}
	err := s.snapshot(ctx, func(q snapshot) (err error) {
		c.packages, err = list(ctx, q, `
			SELECT p.path FROM packages p LEFT JOIN imports i ON i.path = p.path
			WHERE '/' || p.path || '/' NOT LIKE '%/internal/%'
			GROUP BY p.id ORDER BY COUNT(i.path) DESC, p.path`, nil, itself)
		if err != nil {
			return err
		}
		c.words, err = list(ctx, q,
			`SELECT DISTINCT word FROM symbols WHERE length(word) >= 3 ORDER BY word`, nil, itself)
		if err != nil {
			return err
		}
		type named struct{ path, name string }
		names, err := list(ctx, q, `
			SELECT p.path, s.name FROM symbols s JOIN packages p ON p.id = s.package_id
			WHERE length(s.word) >= 2 ORDER BY p.path, s.name`, nil,
			func(n *named) []any { return []any{&n.path, &n.name} })
		for _, n := range names {
			c.symbols[n.path] = append(c.symbols[n.path], n.name)
		}
		return err
	})
	if err != nil {
		return c, err
	}
	if len(c.packages) == 0 || len(c.words) == 0 {
		return c, fmt.Errorf("demo: the sources hold %d packages and %d searchable names; at least one of each is needed",
			len(c.packages), len(c.words))
	}
	return c, nil
}
