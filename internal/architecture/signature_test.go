package architecture

import (
	"fmt"
	"go/ast"
)

// signatures checks that nothing exported by the root package mentions a
// third-party type: users would depend on it, and it could not be replaced.
func signatures(t *tree) (found []string) {
	for _, p := range t.packages {
		if p.dir != "." {
			continue
		}
		for _, f := range p.files {
			s := surface{foreign: map[string]string{}}
			for _, im := range f.imports {
				if _, own := folder(im.path); !own && !standard(im.path) {
					s.foreign[im.called()] = im.path
				}
			}
			for _, decl := range f.syntax.Decls {
				s.decl(decl)
			}
			for _, m := range s.mentions {
				found = append(found, fmt.Sprintf("%s:%d: the exported %s mentions %s of %s", f.path, t.line(m.at), m.owner, m.at.Sel.Name, m.from))
			}
		}
	}
	return found
}

// surface collects what the exported declarations of one file mention.
type surface struct {
	foreign  map[string]string // name in the file -> import path
	mentions []mention
}

type mention struct {
	owner, from string
	at          *ast.SelectorExpr
}

func (s *surface) decl(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || receiver(d.Recv).IsExported()) {
			s.look(d.Name.Name, d.Type)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch sp := spec.(type) {
			case *ast.TypeSpec:
				if sp.Name.IsExported() {
					s.look(sp.Name.Name, sp.TypeParams)
					s.typ(sp.Name.Name, sp.Type)
				}
			case *ast.ValueSpec:
				s.value(sp)
			}
		}
	}
}

// typ looks at what users see of a type: exported and embedded fields of a
// struct, everything else in full.
func (s *surface) typ(owner string, t ast.Expr) {
	st, ok := t.(*ast.StructType)
	if !ok {
		s.look(owner, t)
		return
	}
	for _, field := range st.Fields.List {
		if len(field.Names) == 0 {
			s.look(owner, field.Type)
		}
		for _, name := range field.Names {
			if name.IsExported() {
				s.typ(owner+"."+name.Name, field.Type)
				break
			}
		}
	}
}

// value looks at the types of exported variables and constants; where there is
// none, at the expression that gives it.
func (s *surface) value(sp *ast.ValueSpec) {
	for i, name := range sp.Names {
		if !name.IsExported() {
			continue
		}
		if sp.Type != nil {
			s.look(name.Name, sp.Type)
			continue
		}
		if i >= len(sp.Values) {
			continue
		}
		switch v := ast.Unparen(sp.Values[i]).(type) {
		case *ast.SelectorExpr:
			s.look(name.Name, v)
		case *ast.CallExpr:
			s.look(name.Name, v.Fun)
		case *ast.CompositeLit:
			s.look(name.Name, v.Type)
		case *ast.UnaryExpr:
			if lit, ok := v.X.(*ast.CompositeLit); ok {
				s.look(name.Name, lit.Type)
			}
		case *ast.FuncLit:
			s.look(name.Name, v.Type)
		}
	}
}

func (s *surface) look(owner string, n ast.Node) {
	if fields, ok := n.(*ast.FieldList); ok && fields == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && s.foreign[x.Name] != "" {
			s.mentions = append(s.mentions, mention{owner, s.foreign[x.Name], sel})
		}
		return true
	})
}

// receiver returns the name of the type that a method belongs to.
func receiver(recv *ast.FieldList) *ast.Ident {
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.Ident:
			return x
		default:
			return ast.NewIdent("_")
		}
	}
}
