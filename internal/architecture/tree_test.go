package architecture

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/larder-go/larder"

// tree is the parsed source of all modules of the repository.
type tree struct {
	fset     *token.FileSet
	files    []*file
	packages []*pkg
	config   config
}

// config holds what fixtures change.
type config struct {
	maxLines    int               // of a file that is not a test
	longFiles   map[string]string // path -> why it may be longer
	aimExported int               // reported above
	maxExported int               // refused above
	wide        map[string]string // folder -> why it may export more
}

type file struct {
	path, dir string
	test      bool // its name ends in _test.go
	generated bool
	lines     int
	syntax    *ast.File // nil for .lua
	imports   []imported
}

type imported struct {
	name string // as the file calls it, "" for the default
	path string
	line int
}

// pkg is what one folder contains, its tests left out.
type pkg struct {
	dir, name string
	files     []*file
}

var generatedMark = regexp.MustCompile(`(?m)^(//|--) Code generated .* DO NOT EDIT\.$`)

// load parses the files below the root of fsys. Folders that Go ignores are left out.
func load(fsys fs.FS, c config) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), config: c}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") ||
				name == "testdata" || name == "vendor" || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if ext := path.Ext(name); ext != ".go" && ext != ".lua" {
			return nil
		}
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		f, err := t.parse(p, src)
		if err != nil {
			return err
		}
		t.files = append(t.files, f)
		return nil
	})
	t.packages = group(t.files)
	return t, err
}

func (t *tree) parse(p string, src []byte) (*file, error) {
	f := &file{
		path:      p,
		dir:       path.Dir(p),
		test:      strings.HasSuffix(p, "_test.go"),
		generated: generatedMark.Match(src),
		lines:     bytes.Count(src, []byte("\n")),
	}
	if path.Ext(p) != ".go" {
		return f, nil
	}
	syntax, err := parser.ParseFile(t.fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	f.syntax = syntax
	for _, spec := range syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		im := imported{path: target, line: t.line(spec)}
		if spec.Name != nil {
			im.name = spec.Name.Name
		}
		f.imports = append(f.imports, im)
	}
	return f, nil
}

func (t *tree) line(n ast.Node) int { return t.fset.Position(n.Pos()).Line }

func group(files []*file) []*pkg {
	var all []*pkg
	for _, f := range files {
		if f.test || f.syntax == nil {
			continue
		}
		i := slices.IndexFunc(all, func(p *pkg) bool { return p.dir == f.dir })
		if i < 0 {
			i = len(all)
			all = append(all, &pkg{dir: f.dir, name: f.syntax.Name.Name})
		}
		all[i].files = append(all[i].files, f)
	}
	return all
}

// public tells whether users may import p.
func (p *pkg) public() bool {
	if p.name == "main" {
		return false
	}
	for part := range strings.SplitSeq(p.dir, "/") {
		if part == "internal" {
			return false
		}
	}
	return !within(p.dir, "cmd", "examples", "e2e", "benchmarks", "tools")
}

// within tells whether dir is one of rooms or below it. The root package is
// the room ".", which has nothing below it.
func within(dir string, rooms ...string) bool {
	for _, r := range rooms {
		if dir == r || r != "." && strings.HasPrefix(dir, r+"/") {
			return true
		}
	}
	return false
}

// folder returns the folder of an import path of this repository.
func folder(importPath string) (dir string, own bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// standard tells whether the import path belongs to the standard library.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// covers tells whether importPath is prefix or a package below it.
func covers(prefix, importPath string) bool {
	rest, ok := strings.CutPrefix(importPath, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// called is the name by which the file uses the import.
func (im imported) called() string {
	if im.name != "" {
		return im.name
	}
	base := path.Base(im.path)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(im.path))
	}
	base, _, _ = strings.Cut(base, ".") // gopkg.in/yaml.v3
	return strings.TrimPrefix(base, "go-")
}
