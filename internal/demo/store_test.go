package demo

import (
	"errors"
	"slices"
	"testing"

	"github.com/larder-go/larder"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	s, size := testStore(t, manyPackages(3))
	// Per package: itself, its doc, 4 symbols, 3 docs of symbols; and 0+1+2 imports.
	if want := (databaseSize{rows: 3*9 + 3, packages: 3}); size != want {
		t.Errorf("size %+v, want %+v", size, want)
	}
	ctx := t.Context()

	page, err := s.packagePage(ctx, "p01")
	if err != nil {
		t.Fatal(err)
	}
	if page.Version != 1 || page.Synopsis != "Package p01 is number 1." || page.Files != 1 ||
		!slices.Equal(page.Imports, []string{"p00"}) || page.SymbolCount != 4 || len(page.Symbols) != 4 {
		t.Errorf("page %+v", page)
	}

	res, err := s.search(ctx, "READ", 2)
	if err != nil {
		t.Fatal(err)
	}
	// Two packages import p00 and one p01.
	want := []symbolHit{
		{"p00", "method", "Alpha0.Read0", "Read0 reads."},
		{"p01", "method", "Alpha1.Read1", "Read1 reads."},
	}
	if res.Version != 0 || res.Query != "read" || !slices.Equal(res.Symbols, want) {
		t.Errorf("search %+v", res)
	}
	if res, err := s.search(ctx, "zz%", 2); err != nil || len(res.Symbols) != 0 {
		t.Errorf("search of what is not there: %+v, %v", res, err)
	}

	l, err := s.importers(ctx, "p00")
	if err != nil || l.Version != 1 || !slices.Equal(l.Importers, []string{"p01", "p02"}) {
		t.Errorf("importers %+v, %v", l, err)
	}

	top, err := s.top(ctx, 5)
	if err != nil || !slices.Equal(top.Packages, []topPackage{{"p00", 2, 4, 4, 0}, {"p01", 1, 4, 4, 0}}) {
		t.Errorf("top %+v, %v", top, err)
	}
	// Page 3, searches 2 each, importers 2, top 2.
	if n := s.queries.Load(); n != 11 {
		t.Errorf("%d queries counted, want 11", n)
	}
}

func TestUnknownPackage(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t, manyPackages(1))
	_, err1 := s.packagePage(t.Context(), "nope")
	_, err2 := s.importers(t.Context(), "nope")
	_, err3 := s.edit(t.Context(), "nope", "")
	_, err4 := s.edit(t.Context(), "p00", "Nope")
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, larder.ErrNotFound) {
			t.Errorf("%d: got %v, want ErrNotFound", i, err)
		}
	}
	// An edit that fails changes nothing.
	if page, err := s.packagePage(t.Context(), "p00"); err != nil || page.Version != 1 {
		t.Errorf("page %+v, %v", page, err)
	}
}

func TestEditRaisesEveryVersion(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t, manyPackages(2))
	ctx := t.Context()
	for n := int64(1); n <= 2; n++ {
		written, err := s.edit(ctx, "p00", "Alpha0.Read0")
		want := []revision{{"pkg:p00", n + 1}, {"stats", n}, {"search:re", n}}
		if err != nil || !slices.Equal(written, want) {
			t.Fatalf("edit %d: %v, %v; want %v", n, written, err, want)
		}
	}
	page, err := s.packagePage(ctx, "p00")
	if err != nil || page.Version != 3 || page.Synopsis != "Package p00 is number 0. [edit 2]" {
		t.Errorf("page %+v, %v", page, err)
	}
	res, err := s.search(ctx, "read0", 1)
	if err != nil || res.Version != 2 || len(res.Symbols) != 1 || res.Symbols[0].Synopsis != "Read0 reads. [edit 2]" {
		t.Errorf("search %+v, %v", res, err)
	}
	if l, err := s.importers(ctx, "p00"); err != nil || l.Version != 3 {
		t.Errorf("importers %+v, %v", l, err)
	}
	if top, err := s.top(ctx, 1); err != nil || top.Version != 2 || top.Packages[0].Edits != 2 {
		t.Errorf("top %+v, %v", top, err)
	}
	if page, err := s.packagePage(ctx, "p01"); err != nil || page.Version != 1 {
		t.Errorf("the other page %+v, %v", page, err)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	files := manyPackages(2)
	files["src/internal/x/x.go"] = "package x\n\nimport _ \"p00\"\n"
	files["src/p00/internal/y/y.go"] = "package y\n"
	s, _ := testStore(t, files)
	c, err := s.catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.packages, []string{"p00", "p01"}) {
		t.Errorf("packages %q", c.packages)
	}
	if !slices.Equal(c.symbols["p00"], []string{"Alpha0", "Alpha0.Read0", "Beta0", "Gamma0"}) {
		t.Errorf("symbols %q", c.symbols["p00"])
	}
	if len(c.words) != 8 || !slices.Contains(c.words, "read1") {
		t.Errorf("words %q", c.words)
	}
	empty, _ := testStore(t, map[string]string{"src/p/p.go": "package p\n"})
	if _, err := empty.catalogue(t.Context()); err == nil {
		t.Error("nothing to search for, and no error")
	}
}
