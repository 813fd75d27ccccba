package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/telemetry"
)

// childArgument makes the test binary an instance, as the program's hidden
// subcommand does.
const childArgument = "demo-instance"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		if err := RunInstance(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := redistest.Run(pgtest.Main{M: m})
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// writeGOROOT makes a Go installation out of files, named from its root.
func writeGOROOT(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// manyPackages is an installation of n packages, each importing those before it.
func manyPackages(n int) map[string]string {
	files := map[string]string{}
	imports := ""
	for i := range n {
		files[fmt.Sprintf("src/p%02d/p.go", i)] = fmt.Sprintf(`// Package p%02[1]d is number %[1]d.
package p%02[1]d

%[2]s

// Alpha%[1]d is a type.
type Alpha%[1]d struct{}

// Read%[1]d reads.
func (Alpha%[1]d) Read%[1]d(p []byte) (int, error) { return 0, nil }

// Beta%[1]d is a function.
func Beta%[1]d() {}

const Gamma%[1]d, hidden = 1, 2
`, i, imports)
		imports += fmt.Sprintf("import _ \"p%02d\"\n", i)
	}
	return files
}

// testStore is a store over a new database of the given installation.
func testStore(t testing.TB, files map[string]string) (*store, databaseSize) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "doc.sqlite")
	size, err := buildDatabase(t.Context(), path, writeGOROOT(t, files), func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s, size
}

// testApps are n instances over the same database and engine.
func testApps(t testing.TB, n int) []*app {
	t.Helper()
	path := filepath.Join(t.TempDir(), "doc.sqlite")
	if _, err := buildDatabase(t.Context(), path, writeGOROOT(t, manyPackages(3)), func(int) {}); err != nil {
		t.Fatal(err)
	}
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	apps := make([]*app, n)
	for i := range apps {
		s, err := openStore(path)
		if err != nil {
			t.Fatal(err)
		}
		c := engine.Connect()
		tel, err := telemetry.New(c, telemetry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cached, err := newCaches("test", s, c, tel)
		if err != nil {
			t.Fatal(err)
		}
		if apps[i], err = newApp(string(rune('a'+i)), "test", s, cached, c, tel); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := apps[i].close(); err != nil {
				t.Error(err)
			}
		})
	}
	return apps
}

// asJSON writes down what a function has returned.
func asJSON(t *testing.T) func(any, error) string {
	return func(v any, err error) string {
		t.Helper()
		b, jerr := json.Marshal(v)
		if err := errors.Join(err, jerr); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}
