package demo

import (
	"context"
	"strings"
)

// Every statement that shows what a write changes tells the version that it has seen:
// where each is cached by itself, an answer is as old as its oldest part.

// revisionSQL is the version of the list that is the first argument.
const revisionSQL = `COALESCE((SELECT version FROM revisions WHERE thing = $1), 0)`

func (s *store) packagePage(ctx context.Context, path string) (page packagePage, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		var id, seen int64
		err := q.one(ctx, `
			SELECT p.id, p.version, p.path, p.name, p.synopsis, p.files,
			       COALESCE((SELECT text FROM docs WHERE package_id = p.id AND symbol_id IS NULL), ''),
			       (SELECT COUNT(*) FROM symbols WHERE package_id = p.id)
			FROM packages p WHERE p.path = $1`, []any{path},
			&id, &page.Version, &page.Path, &page.Name, &page.Synopsis, &page.Files, &page.Doc, &page.SymbolCount)
		if err != nil {
			return err
		}
		page.Imports, err = list(ctx, q,
			`SELECT path FROM imports WHERE package_id = $1 ORDER BY path`, []any{id}, itself)
		if err != nil {
			return err
		}
		page.Symbols, err = list(ctx, q, `
			SELECT (SELECT version FROM packages WHERE id = $1), kind, name, decl, synopsis FROM symbols
			WHERE package_id = $1 ORDER BY id LIMIT $2`, []any{id, maxSymbols},
			func(s *symbol) []any { return []any{&seen, &s.Kind, &s.Name, &s.Decl, &s.Synopsis} })
		if len(page.Symbols) > 0 {
			page.Version = min(page.Version, seen)
		}
		return err
	})
	return page, err
}

func (s *store) search(ctx context.Context, query string, limit int) (res searchResult, err error) {
	res.Query = strings.ToLower(query)
	err = s.snapshot(ctx, func(q snapshot) error {
		var seen int64
		thing := searchThing(res.Query)
		res.Version, err = q.revision(ctx, thing)
		if err != nil {
			return err
		}
		res.Symbols, err = list(ctx, q, `
			SELECT `+revisionSQL+`, p.path, s.kind, s.name, s.synopsis
			FROM symbols s JOIN packages p ON p.id = s.package_id
			WHERE s.word >= $2 AND s.word < $3
			ORDER BY (SELECT COUNT(*) FROM imports i WHERE i.path = p.path) DESC, length(s.word), p.path, s.id
			LIMIT $4`, []any{thing, res.Query, res.Query + "\U0010ffff", limit},
			func(h *symbolHit) []any { return []any{&seen, &h.Package, &h.Kind, &h.Name, &h.Synopsis} })
		if len(res.Symbols) > 0 {
			res.Version = min(res.Version, seen)
		}
		return err
	})
	return res, err
}

func (s *store) importers(ctx context.Context, path string) (l importerList, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		err := q.one(ctx, `SELECT version, path, synopsis FROM packages WHERE path = $1`, []any{path},
			&l.Version, &l.Path, &l.Synopsis)
		if err != nil {
			return err
		}
		l.Importers, err = list(ctx, q, `
			SELECT p.path FROM imports i JOIN packages p ON p.id = i.package_id
			WHERE i.path = $1 ORDER BY p.path`, []any{path}, itself)
		return err
	})
	return l, err
}

func (s *store) top(ctx context.Context, limit int) (t topList, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		var seen int64
		t.Version, err = q.revision(ctx, statsThing)
		if err != nil {
			return err
		}
		t.Packages, err = list(ctx, q, `
			SELECT `+revisionSQL+`, p.path, i.importers, COALESCE(s.symbols, 0), COALESCE(d.docs, 0), p.version - 1
			FROM packages p
			JOIN (SELECT path, COUNT(*) AS importers FROM imports GROUP BY path) i ON i.path = p.path
			LEFT JOIN (SELECT package_id, COUNT(*) AS symbols FROM symbols GROUP BY package_id) s ON s.package_id = p.id
			LEFT JOIN (SELECT package_id, COUNT(*) AS docs FROM docs GROUP BY package_id) d ON d.package_id = p.id
			ORDER BY i.importers DESC, p.path LIMIT $2`, []any{statsThing, limit},
			func(t *topPackage) []any { return []any{&seen, &t.Path, &t.Importers, &t.Symbols, &t.Docs, &t.Edits} })
		if len(t.Packages) > 0 {
			t.Version = min(t.Version, seen)
		}
		return err
	})
	return t, err
}

// revision is the version of a list; 0 means that nothing in it was written yet.
func (s snapshot) revision(ctx context.Context, thing string) (version int64, err error) {
	err = s.one(ctx, `SELECT `+revisionSQL, []any{thing}, &version)
	return version, err
}
