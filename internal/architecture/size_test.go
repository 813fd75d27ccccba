package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// house holds the limits of this repository. Over a limit needs a reason here.
var house = config{
	maxLines:    600,
	longFiles:   map[string]string{},
	aimExported: 40,
	maxExported: 60,
	wide:        map[string]string{},
}

// sizes checks that files and public surfaces stay small.
func sizes(t *tree) (found []string) {
	c := t.config
	for _, f := range t.files {
		_, excused := c.longFiles[f.path]
		if long := f.lines > c.maxLines && !f.test && !f.generated; long && !excused {
			found = append(found, fmt.Sprintf("%s: %d lines, more than %d: split it by concept, or give the reason in longFiles", f.path, f.lines, c.maxLines))
		} else if excused && !long {
			found = append(found, fmt.Sprintf("%s: %d lines: no longer needs its entry in longFiles", f.path, f.lines))
		}
	}
	for name := range c.longFiles {
		if !slices.ContainsFunc(t.files, func(f *file) bool { return f.path == name }) {
			found = append(found, name+": listed in longFiles, but there is no such file")
		}
	}
	for _, p := range t.packages {
		if !p.public() {
			continue
		}
		n := exported(p)
		_, excused := c.wide[p.dir]
		if n > c.maxExported && !excused {
			found = append(found, fmt.Sprintf("%s: %d exported names, more than %d: hide or move some, or give the reason in wide", p.dir, n, c.maxExported))
		} else if excused && n <= c.maxExported {
			found = append(found, fmt.Sprintf("%s: %d exported names: no longer needs its entry in wide", p.dir, n))
		}
	}
	return found
}

// exported counts the names at package level that users see.
func exported(p *pkg) (n int) {
	count := func(id *ast.Ident) {
		if id.IsExported() {
			n++
		}
	}
	for _, f := range p.files {
		for _, decl := range f.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					count(d.Name)
				}
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						count(s.Name)
					case *ast.ValueSpec:
						for _, id := range s.Names {
							count(id)
						}
					}
				}
			}
		}
	}
	return n
}
