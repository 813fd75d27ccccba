package architecture

import (
	"fmt"
	"go/ast"
)

// sleeps checks that tests wait for events and not for time. Inside the
// function given to synctest.Test, sleeping advances a clock that stands still
// otherwise, which is what time in tests should do. Other files are checked by
// the linter.
func sleeps(t *tree) (found []string) {
	for _, f := range t.files {
		if !f.test {
			continue
		}
		clock, bubble := "", ""
		for _, im := range f.imports {
			switch im.path {
			case "time":
				clock = im.called()
			case "testing/synctest":
				bubble = im.called()
			}
		}
		if clock == "" {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && bubble != "" && isSelector(call.Fun, bubble, "Test") {
				return false
			}
			if sel, ok := n.(*ast.SelectorExpr); ok && isSelector(sel, clock, "Sleep") {
				found = append(found, fmt.Sprintf("%s:%d: sleeping outside synctest.Test: wait for the event (a channel, a condition with a deadline)", f.path, t.line(sel)))
			}
			return true
		})
	}
	return found
}

func isSelector(e ast.Expr, x, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == x
}
