package demo

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// sourcePackage is what the parser knows of one package.
type sourcePackage struct {
	path, name, doc string
	files           int
	imports         []string
	symbols         []sourceSymbol
}

// sourceSymbol is an exported declaration. Methods and fields of types are
// named "Type.Name".
type sourceSymbol struct {
	kind, name, decl, doc string
}

// maxDecl cuts signatures that would fill a page by themselves.
const maxDecl = 400

// parseCorpus calls emit, one call at a time, for every package under
// goroot/src as the host's platform would build it; test data, vendored code
// and commands are left out. The order of the packages is not defined.
func parseCorpus(ctx context.Context, goroot string, emit func(sourcePackage) error) error {
	src := filepath.Join(goroot, "src")
	dirs, err := packageDirs(src)
	if err != nil {
		return fmt.Errorf("demo: no Go sources found: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan string)
	parsed := make(chan sourcePackage)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 16) {
		wg.Go(func() {
			for dir := range next {
				p, ok, err := parsePackage(src, dir)
				if err != nil {
					cancel(err)
				}
				if !ok || err != nil {
					continue
				}
				select {
				case parsed <- p:
				case <-ctx.Done():
				}
			}
		})
	}
	go func() {
		defer close(parsed)
		defer wg.Wait()
		defer close(next)
		for _, dir := range dirs {
			select {
			case next <- dir:
			case <-ctx.Done():
				return
			}
		}
	}()
	found := 0
	for p := range parsed {
		if ctx.Err() != nil {
			continue
		}
		if err := emit(p); err != nil {
			cancel(err)
			continue
		}
		found++
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if found == 0 {
		return fmt.Errorf("demo: no Go sources found under %s", src)
	}
	return nil
}

func packageDirs(src string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == src {
				return err
			}
			return fs.SkipDir
		}
		if !d.IsDir() {
			return nil
		}
		name := d.Name()
		if path != src && (name == "testdata" || name == "vendor" || name[0] == '_' || name[0] == '.') ||
			path == filepath.Join(src, "cmd") {
			return fs.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	return dirs, err
}

// parsePackage reads the package in dir; ok is false where there is none, or
// only a command. A file that does not parse is left out.
func parsePackage(src, dir string) (p sourcePackage, ok bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return p, false, fmt.Errorf("demo: read sources: %w", err)
	}
	rel, err := filepath.Rel(src, dir)
	if err != nil {
		return p, false, fmt.Errorf("demo: read sources: %w", err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if match, err := build.Default.MatchFile(dir, name); err != nil || !match {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil || f.Name.Name == "main" || f.Name.Name == "documentation" {
			continue
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return p, false, nil
	}
	d, err := doc.NewFromFiles(fset, files, filepath.ToSlash(rel))
	if err != nil {
		return p, false, fmt.Errorf("demo: document %s: %w", rel, err)
	}
	return sourcePackage{
		path: d.ImportPath, name: d.Name, doc: d.Doc, files: len(files),
		imports: d.Imports, symbols: symbolsOf(fset, d),
	}, true, nil
}

func symbolsOf(fset *token.FileSet, d *doc.Package) []sourceSymbol {
	var out []sourceSymbol
	values := func(kind string, values []*doc.Value) {
		for _, v := range values {
			for _, name := range v.Names {
				if token.IsExported(name) {
					out = append(out, sourceSymbol{kind, name, kind + " " + name, v.Doc})
				}
			}
		}
	}
	funcs := func(kind, recv string, funcs []*doc.Func) {
		for _, f := range funcs {
			out = append(out, sourceSymbol{kind, recv + f.Name, signature(fset, f.Decl), f.Doc})
		}
	}
	values("const", d.Consts)
	values("var", d.Vars)
	funcs("func", "", d.Funcs)
	for _, t := range d.Types {
		out = append(out, sourceSymbol{"type", t.Name, "type " + t.Name, t.Doc})
		values("const", t.Consts)
		values("var", t.Vars)
		funcs("func", "", t.Funcs)
		funcs("method", t.Name+".", t.Methods)
	}
	// Packages that declare one name per platform or build tag list it twice.
	seen := make(map[string]bool, len(out))
	return slices.DeleteFunc(out, func(s sourceSymbol) bool {
		dup := seen[s.name]
		seen[s.name] = true
		return dup
	})
}

func signature(fset *token.FileSet, decl *ast.FuncDecl) string {
	bare := *decl
	bare.Doc, bare.Body = nil, nil
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, &bare); err != nil {
		return "func " + decl.Name.Name
	}
	if b.Len() > maxDecl {
		return strings.ToValidUTF8(b.String()[:maxDecl], "") + " …"
	}
	return b.String()
}

// synopsis is the first sentence of a doc comment.
func synopsis(text string) string { return new(doc.Package).Synopsis(text) }
