package demo

import (
	"context"
	"strings"
)

func (s *store) packagePage(ctx context.Context, path string) (page packagePage, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		var id int64
		err := q.one(ctx, `
			SELECT p.id, p.version, p.path, p.name, p.synopsis, p.files,
			       COALESCE((SELECT text FROM docs WHERE package_id = p.id AND symbol_id IS NULL), ''),
			       (SELECT COUNT(*) FROM symbols WHERE package_id = p.id)
			FROM packages p WHERE p.path = ?`, []any{path},
			&id, &page.Version, &page.Path, &page.Name, &page.Synopsis, &page.Files, &page.Doc, &page.SymbolCount)
		if err != nil {
			return err
		}
		page.Imports, err = list(ctx, q,
			`SELECT path FROM imports WHERE package_id = ? ORDER BY path`, []any{id}, itself)
		if err != nil {
			return err
		}
		page.Symbols, err = list(ctx, q, `
			SELECT kind, name, decl, synopsis FROM symbols
			WHERE package_id = ? ORDER BY id LIMIT ?`, []any{id, maxSymbols},
			func(s *symbol) []any { return []any{&s.Kind, &s.Name, &s.Decl, &s.Synopsis} })
		return err
	})
	return page, err
}

func (s *store) search(ctx context.Context, query string, limit int) (res searchResult, err error) {
	res.Query = strings.ToLower(query)
	err = s.snapshot(ctx, func(q snapshot) error {
		res.Version, err = q.revision(ctx, searchThing(res.Query))
		if err != nil {
			return err
		}
		res.Symbols, err = list(ctx, q, `
			SELECT p.path, s.kind, s.name, s.synopsis
			FROM symbols s JOIN packages p ON p.id = s.package_id
			WHERE s.word >= ? AND s.word < ?
			ORDER BY (SELECT COUNT(*) FROM imports i WHERE i.path = p.path) DESC, length(s.word), p.path, s.id
			LIMIT ?`, []any{res.Query, res.Query + "\U0010ffff", limit},
			func(h *symbolHit) []any { return []any{&h.Package, &h.Kind, &h.Name, &h.Synopsis} })
		return err
	})
	return res, err
}

func (s *store) importers(ctx context.Context, path string) (l importerList, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		err := q.one(ctx, `SELECT version, path, synopsis FROM packages WHERE path = ?`, []any{path},
			&l.Version, &l.Path, &l.Synopsis)
		if err != nil {
			return err
		}
		l.Importers, err = list(ctx, q, `
			SELECT p.path FROM imports i JOIN packages p ON p.id = i.package_id
			WHERE i.path = ? ORDER BY p.path`, []any{path}, itself)
		return err
	})
	return l, err
}

func (s *store) top(ctx context.Context, limit int) (t topList, err error) {
	err = s.snapshot(ctx, func(q snapshot) error {
		t.Version, err = q.revision(ctx, statsThing)
		if err != nil {
			return err
		}
		t.Packages, err = list(ctx, q, `
			SELECT p.path, i.importers, COALESCE(s.symbols, 0), COALESCE(d.docs, 0), p.version - 1
			FROM packages p
			JOIN (SELECT path, COUNT(*) AS importers FROM imports GROUP BY path) i ON i.path = p.path
			LEFT JOIN (SELECT package_id, COUNT(*) AS symbols FROM symbols GROUP BY package_id) s ON s.package_id = p.id
			LEFT JOIN (SELECT package_id, COUNT(*) AS docs FROM docs GROUP BY package_id) d ON d.package_id = p.id
			ORDER BY i.importers DESC, p.path LIMIT ?`, []any{limit},
			func(t *topPackage) []any { return []any{&t.Path, &t.Importers, &t.Symbols, &t.Docs, &t.Edits} })
		return err
	})
	return t, err
}

// revision is the version of a list; 0 means that nothing in it was written yet.
func (s snapshot) revision(ctx context.Context, thing string) (version int64, err error) {
	err = s.one(ctx, `SELECT COALESCE((SELECT version FROM revisions WHERE thing = ?), 0)`, []any{thing}, &version)
	return version, err
}
