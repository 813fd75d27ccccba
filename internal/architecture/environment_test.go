package architecture

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// readers may look at flags and the environment.
var readers = []string{"cmd", "examples", "internal/redistest", "e2e", "benchmarks", "tools"}

// ambient are the names through which a program's surroundings reach a package.
var ambient = map[string][]string{
	"os":      {"Args", "Environ", "ExpandEnv", "Getenv", "LookupEnv"},
	"syscall": {"Environ", "Getenv"},
}

// environment checks that libraries take their settings as options: only
// commands read flags and environment, and functions whose name ends in FromEnv
// read the environment.
func environment(t *tree) (found []string) {
	for _, f := range t.files {
		if f.test || f.syntax == nil || within(f.dir, readers...) {
			continue
		}
		names := map[string][]string{}
		for _, im := range f.imports {
			if im.path == "flag" {
				found = append(found, fmt.Sprintf("%s:%d: only cmd reads flags", f.path, im.line))
			}
			if what, ok := ambient[im.path]; ok {
				names[im.called()] = what
			}
		}
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && strings.HasSuffix(fn.Name.Name, "FromEnv") {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(names[x.Name], sel.Sel.Name) {
					found = append(found, fmt.Sprintf("%s:%d: %s.%s: only cmd and functions named …FromEnv read the environment",
						f.path, t.line(sel), x.Name, sel.Sel.Name))
				}
				return true
			})
		}
	}
	return found
}
