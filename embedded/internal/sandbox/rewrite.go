package sandbox

import (
	"errors"
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

const (
	// maxSyntaxDepth bounds the recursion of compiler and rewriter: Go's stack
	// cannot be recovered once it has overflowed.
	maxSyntaxDepth = 2000
	// maxIndex bounds integer indexes: the interpreter fills arrays up to the
	// index that is assigned.
	maxIndex = 1 << 22

	// The names contain a byte that no Lua name can have.
	concatName = "\x00concat"
	indexName  = "\x00index"
	// concatWidth keeps a long chain within the registers of one function.
	concatWidth = 40
)

var errSyntaxDepth = errors.New("chunk has too many syntax levels")

// rewrite replaces the two operations of Lua that take memory out of proportion
// and cannot be intercepted otherwise: a..b becomes a call that counts bytes,
// and t[k]=v checks k.
func rewrite(chunk []ast.Stmt) error {
	var w rewriter
	w.stmts(chunk, 0)
	return w.err
}

type rewriter struct{ err error }

func (w *rewriter) deep(depth int) bool {
	if depth > maxSyntaxDepth && w.err == nil {
		w.err = errSyntaxDepth
	}
	return w.err != nil
}

func (w *rewriter) stmts(list []ast.Stmt, depth int) {
	if w.deep(depth) {
		return
	}
	for _, s := range list {
		w.stmt(s, depth+1)
	}
}

func (w *rewriter) stmt(s ast.Stmt, d int) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		w.exprs(s.Lhs, d)
		for _, l := range s.Lhs {
			if at, ok := l.(*ast.AttrGetExpr); ok {
				at.Key = checkedIndex(at.Key)
			}
		}
		w.exprs(s.Rhs, d)
	case *ast.LocalAssignStmt:
		w.exprs(s.Exprs, d)
	case *ast.FuncCallStmt:
		w.expr(&s.Expr, d)
	case *ast.DoBlockStmt:
		w.stmts(s.Stmts, d)
	case *ast.WhileStmt:
		w.expr(&s.Condition, d)
		w.stmts(s.Stmts, d)
	case *ast.RepeatStmt:
		w.expr(&s.Condition, d)
		w.stmts(s.Stmts, d)
	case *ast.IfStmt:
		w.expr(&s.Condition, d)
		w.stmts(s.Then, d)
		w.stmts(s.Else, d)
	case *ast.NumberForStmt:
		w.expr(&s.Init, d)
		w.expr(&s.Limit, d)
		if s.Step != nil {
			w.expr(&s.Step, d)
		}
		w.stmts(s.Stmts, d)
	case *ast.GenericForStmt:
		w.exprs(s.Exprs, d)
		w.stmts(s.Stmts, d)
	case *ast.FuncDefStmt:
		w.stmts(s.Func.Stmts, d)
	case *ast.ReturnStmt:
		w.exprs(s.Exprs, d)
	}
}

func (w *rewriter) exprs(list []ast.Expr, depth int) {
	for i := range list {
		w.expr(&list[i], depth)
	}
}

func (w *rewriter) expr(at *ast.Expr, depth int) {
	if w.deep(depth) {
		return
	}
	d := depth + 1
	switch e := (*at).(type) {
	case *ast.AttrGetExpr:
		w.expr(&e.Object, d)
		w.expr(&e.Key, d)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				w.expr(&f.Key, d)
				f.Key = checkedIndex(f.Key)
			}
			w.expr(&f.Value, d)
		}
	case *ast.FuncCallExpr:
		if e.Func != nil {
			w.expr(&e.Func, d)
		}
		if e.Receiver != nil {
			w.expr(&e.Receiver, d)
		}
		w.exprs(e.Args, d)
	case *ast.LogicalOpExpr:
		w.expr(&e.Lhs, d)
		w.expr(&e.Rhs, d)
	case *ast.RelationalOpExpr:
		w.expr(&e.Lhs, d)
		w.expr(&e.Rhs, d)
	case *ast.ArithmeticOpExpr:
		w.expr(&e.Lhs, d)
		w.expr(&e.Rhs, d)
	case *ast.UnaryMinusOpExpr:
		w.expr(&e.Expr, d)
	case *ast.UnaryNotOpExpr:
		w.expr(&e.Expr, d)
	case *ast.UnaryLenOpExpr:
		w.expr(&e.Expr, d)
	case *ast.FunctionExpr:
		w.stmts(e.Stmts, d)
	case *ast.StringConcatOpExpr:
		w.concat(at, e, d)
	}
}

// concat flattens a chain, which the parser nests to the right.
func (w *rewriter) concat(at *ast.Expr, e *ast.StringConcatOpExpr, d int) {
	parts := []ast.Expr{e.Lhs}
	rest := e.Rhs
	for len(parts) < concatWidth {
		next, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		parts, rest = append(parts, next.Lhs), next.Rhs
	}
	parts = append(parts, rest)
	w.exprs(parts, d)
	*at = call(concatName, e, parts...)
}

func checkedIndex(key ast.Expr) ast.Expr {
	switch k := key.(type) {
	case *ast.StringExpr:
		return key
	case *ast.NumberExpr:
		if n, err := strconv.Atoi(k.Value); err == nil && n <= maxIndex {
			return key
		}
	}
	return call(indexName, key, key)
}

func call(name string, at ast.PositionHolder, args ...ast.Expr) *ast.FuncCallExpr {
	switch last := args[len(args)-1].(type) {
	case *ast.FuncCallExpr:
		last.AdjustRet = true
	case *ast.Comma3Expr:
		last.AdjustRet = true
	}
	fn := &ast.IdentExpr{Value: name}
	fn.SetLine(at.Line())
	fn.SetLastLine(at.LastLine())
	c := &ast.FuncCallExpr{Func: fn, Args: args, AdjustRet: true}
	c.SetLine(at.Line())
	c.SetLastLine(at.LastLine())
	return c
}

// luaIndex is what t[k]=v evaluates k with.
func (s *State) luaIndex(l *lua.LState) int {
	k := l.Get(1)
	s.checkIndex(l, k)
	l.SetTop(0)
	l.Push(k)
	return 1
}

func (s *State) checkIndex(l *lua.LState, k lua.LValue) {
	n, ok := k.(lua.LNumber)
	if !ok {
		return
	}
	if n > maxIndex {
		if n == lua.LNumber(int64(n)) {
			l.RaiseError("table index %d is beyond %d, the most that the embedded engine allows", int64(n), maxIndex)
		}
		return
	}
	if n > 1024 {
		// The worst case is that this assignment fills the array up to n.
		s.budget.charge(l, int(n)*16)
	}
}
