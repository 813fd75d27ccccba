package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// rules are the checks of the Go sources, by the name that fixtures use.
var rules = map[string]func(*tree) []string{
	"arrows":       arrows,
	"dependencies": dependencies,
	"documents":    documents,
	"environment":  environment,
	"signatures":   signatures,
	"sizes":        sizes,
	"sleeps":       sleeps,
}

// TestHouse applies all rules to this repository.
func TestHouse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..")
	fsys := os.DirFS(dir)
	tr, err := load(fsys, house)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(fsys, "go.mod"); err != nil || len(tr.files) == 0 {
		t.Fatalf("%s is not the root of the module: %v", dir, err)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report(t, rule(tr))
		})
	}
	t.Run("texts", func(t *testing.T) {
		t.Parallel()
		report(t, texts(fsys, projectFiles(t, dir, fsys)))
	})
	for _, p := range tr.packages {
		if n := exported(p); p.public() && n > house.aimExported {
			t.Logf("%s: %d exported names; aim at %d", p.dir, n, house.aimExported)
		}
	}
}

func report(t *testing.T, found []string) {
	t.Helper()
	slices.Sort(found)
	for _, f := range found {
		t.Error(f)
	}
}

// TestFixtures shows that each rule finds what it is there for, and nothing else.
func TestFixtures(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	objected := map[string]bool{}
	for _, name := range names {
		fx := readFixture(t, name)
		objected[fx.rule] = objected[fx.rule] || len(fx.want) > 0
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			fx.check(t)
		})
	}
	for rule := range rules {
		if !objected[rule] {
			t.Errorf("no fixture shows that rule %s can fail", rule)
		}
	}
	if !objected["texts"] {
		t.Error("no fixture shows that rule texts can fail")
	}
}

// fixture is a small module and the findings that it deserves.
type fixture struct {
	rule   string   // "all" for every rule
	want   []string // parts of the findings, in the order of their text
	config config
	files  fstest.MapFS
}

// readFixture reads a txtar archive. In the lines before its first file,
// "rule:", "want:", "max-lines:", "max-exported:", "long:" and "wide:" are
// settings; other lines are comments.
func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fx := fixture{config: house, files: fstest.MapFS{}}
	fx.config.longFiles, fx.config.wide = map[string]string{}, map[string]string{}
	var current *fstest.MapFile
	for line := range strings.Lines(string(src)) {
		if head, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(head, " --") {
			current = &fstest.MapFile{Mode: 0o644}
			fx.files[strings.TrimSuffix(head, " --")] = current
			continue
		}
		if current != nil {
			current.Data = append(current.Data, line...)
			continue
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "rule":
			fx.rule = value
		case "want":
			fx.want = append(fx.want, value)
		case "long":
			fx.config.longFiles[value] = "a fixture"
		case "wide":
			fx.config.wide[value] = "a fixture"
		case "max-lines", "max-exported":
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, key, err)
			}
			if key == "max-lines" {
				fx.config.maxLines = n
			} else {
				fx.config.maxExported = n
			}
		}
	}
	return fx
}

func (fx fixture) check(t *testing.T) {
	tr, err := load(fx.files, fx.config)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	known := false
	for name, rule := range rules {
		if fx.rule == name || fx.rule == "all" {
			found, known = append(found, rule(tr)...), true
		}
	}
	if fx.rule == "texts" || fx.rule == "all" {
		var paths []string
		for p := range fx.files {
			paths = append(paths, p)
		}
		found, known = append(found, texts(fx.files, paths)...), true
	}
	if !known {
		t.Fatalf("unknown rule %q", fx.rule)
	}
	slices.Sort(found)
	for i, f := range found {
		if i >= len(fx.want) || !strings.Contains(f, fx.want[i]) {
			t.Errorf("unexpected finding: %s", f)
		}
	}
	if len(found) < len(fx.want) {
		t.Errorf("found %d of the %d that are expected:\n%s", len(found), len(fx.want), strings.Join(found, "\n"))
	}
}
