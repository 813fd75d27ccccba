package demo

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const greetSource = `// Package greet says hello. It does no more.
package greet

import "fmt"

// Polite is a manner.
const Polite = true

const secret = 1

// Language of a greeting.
type Language int

// Of these there are two.
const (
	English Language = iota
	Danish
)

// Default is English.
var Default = English

// Hello says hello
// in l.
func (l Language) Hello(name string) error { _, err := fmt.Println(name); return err }

// New makes a Language.
func New() Language { return 0 }

func hidden() {}
`

func TestCorpus(t *testing.T) {
	t.Parallel()
	root := writeGOROOT(t, map[string]string{
		"src/greet/greet.go":            greetSource,
		"src/greet/greet_test.go":       "package greet\n\nfunc TestOnly() {}\n",
		"src/greet/tagged.go":           "//go:build neveros\n\npackage greet\n\nfunc Never() {}\n",
		"src/greet/broken.go":           "package greet\n\nfunc Broken( {\n",
		"src/greet/gen.go":              "package main\n\nfunc main() {}\n",
		"src/greet/testdata/x/x.go":     "package x\n",
		"src/greet/internal/deep/d.go":  "package deep\n",
		"src/vendor/v/v.go":             "package v\n",
		"src/cmd/tool/t.go":             "package tool\n",
		"src/_old/o.go":                 "package old\n",
		"src/empty/readme.txt":          "",
		"src/onlytest/only_test.go":     "package onlytest\n",
		"src/undocumented/fresh/new.go": "package fresh\n",
	})
	got := map[string]sourcePackage{}
	err := parseCorpus(t.Context(), root, func(p sourcePackage) error {
		got[p.path] = p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for path := range got {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if want := []string{"greet", "greet/internal/deep", "undocumented/fresh"}; !slices.Equal(paths, want) {
		t.Fatalf("packages %q, want %q", paths, want)
	}
	want := sourcePackage{
		path: "greet", name: "greet", doc: "Package greet says hello. It does no more.\n", files: 1,
		imports: []string{"fmt"},
		symbols: []sourceSymbol{
			{"const", "Polite", "const Polite", "Polite is a manner.\n"},
			{"var", "Default", "var Default", "Default is English.\n"},
			{"type", "Language", "type Language", "Language of a greeting.\n"},
			{"const", "English", "const English", "Of these there are two.\n"},
			{"const", "Danish", "const Danish", "Of these there are two.\n"},
			{"func", "New", "func New() Language", "New makes a Language.\n"},
			{"method", "Language.Hello", "func (l Language) Hello(name string) error", "Hello says hello\nin l.\n"},
		},
	}
	p := got["greet"]
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func TestCorpusWithoutSources(t *testing.T) {
	t.Parallel()
	for name, root := range map[string]string{
		"no such folder": filepath.Join(t.TempDir(), "nowhere"),
		"no source":      writeGOROOT(t, map[string]string{"src/readme.txt": ""}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := parseCorpus(t.Context(), root, func(sourcePackage) error { return nil })
			if err == nil || !strings.Contains(err.Error(), "no Go sources") || !strings.Contains(err.Error(), root) {
				t.Errorf("got %v, want an error that says what is missing, and where", err)
			}
		})
	}
}

func TestCorpusStops(t *testing.T) {
	t.Parallel()
	root := writeGOROOT(t, manyPackages(20))
	broken := errors.New("disk full")
	calls := 0
	err := parseCorpus(t.Context(), root, func(sourcePackage) error { calls++; return broken })
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("got %v after %d calls, want the caller's error after one", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := parseCorpus(ctx, root, func(sourcePackage) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestSignatureIsCut(t *testing.T) {
	t.Parallel()
	source := "package long\n\nfunc Long(" + strings.Repeat("ää int, ", 200) + "z int) {}\n"
	src := filepath.Join(writeGOROOT(t, map[string]string{"src/long/l.go": source}), "src")
	p, ok, err := parsePackage(src, filepath.Join(src, "long"))
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	decl := p.symbols[0].decl
	if len(decl) > maxDecl+5 || !strings.HasSuffix(decl, " …") || strings.ToValidUTF8(decl, "?") != decl {
		t.Errorf("got %q", decl)
	}
}
