package statement

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/larder-go/larder/internal/statement"
)

// names is a set of names, as schema.name where they have a schema.
type names map[string]bool

func (n names) String() string { return strings.Join(slices.Sorted(maps.Keys(n)), ", ") }

// tree is what PostgreSQL's parse tree says of a statement.
type tree struct {
	reads, writes, functions, types names

	into       bool
	moving     bool // must not be cached, by the text alone
	statements int
	kind       statement.Kind
	pins       names // as column=$1 or column=literal

	ctes []string
}

// parse returns the tree of a text, or an error where PostgreSQL does not take it.
func parse(sql string) (*tree, error) {
	result, err := pg.Parse(sql)
	if err != nil {
		return nil, err
	}
	t := &tree{reads: names{}, writes: names{}, functions: names{}, types: names{}, pins: names{}}
	t.statements = len(result.Stmts)
	if t.statements == 0 {
		t.kind = statement.Harmless
	}
	for _, s := range result.Stmts {
		t.walk(s.Stmt.ProtoReflect())
		t.kind = t.kindOf(s.Stmt)
		t.pin(s.Stmt)
	}
	return t, nil
}

// walk visits a node and those under it.
func (t *tree) walk(m protoreflect.Message) {
	switch n := m.Interface().(type) {
	case *pg.RangeVar:
		t.read(n)
	case *pg.SelectStmt:
		t.scope(n.WithClause, m, "with_clause")
	case *pg.InsertStmt:
		t.write(n.Relation)
		t.scope(n.WithClause, m, "with_clause", "relation")
	case *pg.UpdateStmt:
		t.write(n.Relation)
		t.scope(n.WithClause, m, "with_clause", "relation")
	case *pg.DeleteStmt:
		t.write(n.Relation)
		t.scope(n.WithClause, m, "with_clause", "relation")
	case *pg.MergeStmt:
		t.write(n.Relation)
		t.scope(n.WithClause, m, "with_clause", "relation")
	case *pg.IntoClause:
		t.into = true
	case *pg.LockingClause:
		t.moving = true // it names aliases, no relations
	case *pg.RangeTableSample, *pg.SQLValueFunction:
		t.moving = true
		t.children(m)
	case *pg.FuncCall:
		name := dotted(n.Funcname)
		if n.Funcformat != pg.CoercionForm_COERCE_SQL_SYNTAX && // EXTRACT, AT TIME ZONE
			name != "pg_catalog.like_escape" && name != "pg_catalog.similar_to_escape" {
			t.functions[name] = true
		}
		t.children(m)
	case *pg.TypeName:
		t.types[dotted(n.Names)] = true
		t.children(m)
	default:
		t.children(m)
	}
}

func (t *tree) children(m protoreflect.Message, but ...string) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if field.Message() == nil || slices.Contains(but, string(field.Name())) {
			return true
		}
		if !field.IsList() {
			t.walk(v.Message())
			return true
		}
		for i := range v.List().Len() {
			t.walk(v.List().Get(i).Message())
		}
		return true
	})
}

// scope visits the CTEs of a statement, and then what of it sees them.
func (t *tree) scope(with *pg.WithClause, m protoreflect.Message, but ...string) {
	outer := len(t.ctes)
	if with != nil {
		for _, n := range with.Ctes {
			if with.Recursive {
				t.ctes = append(t.ctes, n.GetCommonTableExpr().Ctename)
			}
		}
		for _, n := range with.Ctes {
			t.walk(n.ProtoReflect())
			t.ctes = append(t.ctes, n.GetCommonTableExpr().Ctename)
		}
	}
	t.children(m, but...)
	t.ctes = t.ctes[:outer]
}

func (t *tree) read(r *pg.RangeVar) {
	if r.Schemaname != "" || !slices.Contains(t.ctes, r.Relname) {
		t.reads[relation(r)] = true
	}
}

func (t *tree) write(r *pg.RangeVar) { t.writes[relation(r)] = true }

func relation(r *pg.RangeVar) string {
	return strings.TrimLeft(r.Catalogname+"."+r.Schemaname+".", ".") + r.Relname
}

func dotted(parts []*pg.Node) string {
	var s []string
	for _, p := range parts {
		s = append(s, p.GetString_().GetSval())
	}
	return strings.Join(s, ".")
}

// kindOf returns the kind that a statement must have, if it is understood.
func (t *tree) kindOf(n *pg.Node) statement.Kind {
	switch n := n.Node.(type) {
	case *pg.Node_SelectStmt, *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt:
		for f := range t.functions {
			if f == "set_config" || strings.HasSuffix(f, ".set_config") {
				return statement.Session
			}
		}
		switch {
		case t.into:
			return statement.Schema
		case len(t.writes) > 0:
			return statement.Write
		}
		return statement.Select
	case *pg.Node_DeclareCursorStmt:
		return t.kindOf(n.DeclareCursorStmt.Query)
	case *pg.Node_ExplainStmt:
		for _, option := range n.ExplainStmt.Options {
			if option.GetDefElem().Defname == "analyze" {
				return t.kindOf(n.ExplainStmt.Query)
			}
		}
		return statement.Harmless
	case *pg.Node_TransactionStmt:
		switch k := n.TransactionStmt.Kind; k {
		case pg.TransactionStmtKind_TRANS_STMT_BEGIN, pg.TransactionStmtKind_TRANS_STMT_START:
			return statement.Begin
		case pg.TransactionStmtKind_TRANS_STMT_COMMIT:
			return statement.Commit
		case pg.TransactionStmtKind_TRANS_STMT_ROLLBACK:
			return statement.Rollback
		case pg.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED, pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED:
			return statement.Schema
		case pg.TransactionStmtKind_TRANS_STMT_PREPARE:
			return statement.Unknown
		}
		return statement.Savepoint
	case *pg.Node_VariableSetStmt:
		if n.VariableSetStmt.Kind == pg.VariableSetKind_VAR_SET_MULTI && n.VariableSetStmt.Name != "SESSION CHARACTERISTICS" {
			return statement.Harmless
		}
		return statement.Session
	case *pg.Node_DiscardStmt, *pg.Node_PrepareStmt, *pg.Node_LoadStmt:
		return statement.Session
	case *pg.Node_CreateStmt:
		if n.CreateStmt.Relation.Relpersistence == "t" {
			return statement.Session
		}
	case *pg.Node_CreateSeqStmt:
		if n.CreateSeqStmt.Sequence.Relpersistence == "t" {
			return statement.Session
		}
	case *pg.Node_ConstraintsSetStmt, *pg.Node_VariableShowStmt, *pg.Node_ListenStmt,
		*pg.Node_UnlistenStmt, *pg.Node_NotifyStmt, *pg.Node_LockStmt, *pg.Node_VacuumStmt,
		*pg.Node_FetchStmt, *pg.Node_ClosePortalStmt, *pg.Node_DeallocateStmt,
		*pg.Node_CheckPointStmt, *pg.Node_ClusterStmt, *pg.Node_ReindexStmt:
		return statement.Harmless
	}
	return statement.Schema
}

// pin collects what the condition of a statement holds its relation to.
func (t *tree) pin(n *pg.Node) {
	var where *pg.Node
	var from []*pg.Node
	switch n := n.Node.(type) {
	case *pg.Node_ExplainStmt:
		t.pin(n.ExplainStmt.Query)
	case *pg.Node_DeclareCursorStmt:
		t.pin(n.DeclareCursorStmt.Query)
	case *pg.Node_SelectStmt:
		where, from = n.SelectStmt.WhereClause, n.SelectStmt.FromClause
		if len(from) != 1 || n.SelectStmt.Op != pg.SetOperation_SETOP_NONE || n.SelectStmt.WithClause != nil {
			return
		}
		from = from[1:]
	case *pg.Node_UpdateStmt:
		where, from = n.UpdateStmt.WhereClause, n.UpdateStmt.FromClause
	case *pg.Node_DeleteStmt:
		where, from = n.DeleteStmt.WhereClause, n.DeleteStmt.UsingClause
	}
	if where != nil && len(from) == 0 {
		t.conjunct(where)
	}
}

func (t *tree) conjunct(n *pg.Node) {
	if and := n.GetBoolExpr(); and != nil && and.Boolop == pg.BoolExprType_AND_EXPR {
		for _, arg := range and.Args {
			t.conjunct(arg)
		}
	}
	if e := n.GetAExpr(); e != nil && e.Kind == pg.A_Expr_Kind_AEXPR_OP && dotted(e.Name) == "=" {
		t.equal(e.Lexpr, e.Rexpr)
		t.equal(e.Rexpr, e.Lexpr)
	}
}

func (t *tree) equal(column, value *pg.Node) {
	if cast := value.GetTypeCast(); cast != nil {
		value = cast.Arg
	}
	ref := column.GetColumnRef()
	if ref == nil {
		return
	}
	name := ref.Fields[len(ref.Fields)-1].GetString_().GetSval()
	switch c := value.GetAConst(); {
	case value.GetParamRef() != nil:
		t.pins[fmt.Sprintf("%s=$%d", name, value.GetParamRef().Number)] = true
	case c.GetIval() != nil:
		t.pins[fmt.Sprintf("%s=%d", name, c.GetIval().Ival)] = true
	case c.GetFval() != nil: // an integer beyond 32 bits
		t.pins[name+"="+c.GetFval().Fval] = true
	case c.GetSval() != nil:
		t.pins[name+"="+c.GetSval().Sval] = true
	}
}
