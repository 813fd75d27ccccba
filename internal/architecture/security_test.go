package architecture

import (
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// threatModel names the test of each defence.
const threatModel = "docs/security.md"

// TestFuzzTargetsHaveCorpora and its sibling apply two rules that need more than the
// sources: what fuzzing has found is committed, and the threat model names no test that
// is not there.
func TestFuzzTargetsHaveCorpora(t *testing.T) {
	t.Parallel()
	fsys, tr := repository(t)
	report(t, corpora(tr, fsys))
}

func TestThreatModelNamesTests(t *testing.T) {
	t.Parallel()
	fsys, tr := repository(t)
	text, err := fs.ReadFile(fsys, threatModel)
	if err != nil {
		t.Fatal(err)
	}
	report(t, namedTests(tr, string(text)))
}

func repository(t *testing.T) (fs.FS, *tree) {
	t.Helper()
	fsys := os.DirFS(filepath.Join("..", ".."))
	tr, err := load(fsys, house)
	if err != nil {
		t.Fatal(err)
	}
	return fsys, tr
}

// corpora checks that each fuzz target has inputs in testdata/fuzz.
func corpora(t *tree, fsys fs.FS) (found []string) {
	for _, f := range t.files {
		for _, name := range testsOf(f) {
			if !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			dir := path.Join(f.dir, "testdata/fuzz", name)
			if inputs, err := fs.ReadDir(fsys, dir); err != nil || len(inputs) == 0 {
				found = append(found, fmt.Sprintf("%s: %s has no inputs in %s: run it for a while, then make corpus", f.path, name, dir))
			}
		}
	}
	return found
}

var testName = regexp.MustCompile("`((?:Test|Fuzz|Run)[A-Z]\\w*)`")

// namedTests checks that tests named in backquotes exist; Run… are suites.
func namedTests(t *tree, text string) (found []string) {
	known := map[string]bool{}
	for _, f := range t.files {
		for _, name := range testsOf(f) {
			known[name] = true
		}
	}
	names := testName.FindAllStringSubmatch(text, -1)
	if len(names) == 0 {
		found = append(found, threatModel+" names no tests")
	}
	for _, m := range names {
		if !known[m[1]] {
			found = append(found, fmt.Sprintf("%s: there is no %s", threatModel, m[1]))
		}
	}
	return found
}

// testsOf lists the functions of a file that may be tests, targets or suites.
func testsOf(f *file) (names []string) {
	if f.syntax == nil || !f.test && !within(f.dir, testingRooms...) {
		return nil
	}
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}

func TestSecurityRulesCanFail(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"a/a_test.go":                               {Data: []byte("package a\n\nfunc FuzzGood() {}\nfunc FuzzBad() {}\nfunc TestIt() {}\n")},
		"a/testdata/fuzz/FuzzGood":                  {Mode: fs.ModeDir},
		"a/testdata/fuzz/FuzzGood/0123456789abcdef": {Data: []byte("go test fuzz v1\nstring(\"\")\n")},
	}
	tr, err := load(fsys, house)
	if err != nil {
		t.Fatal(err)
	}
	if found := corpora(tr, fsys); len(found) != 1 || !strings.Contains(found[0], "FuzzBad") {
		t.Errorf("corpora: %q", found)
	}
	if found := namedTests(tr, "`TestIt`, `FuzzGood` and `TestGone`; not TestOther"); len(found) != 1 || !strings.Contains(found[0], "TestGone") {
		t.Errorf("names: %q", found)
	}
	if found := namedTests(tr, "nothing"); len(found) != 1 {
		t.Errorf("no names: %q", found)
	}
}
