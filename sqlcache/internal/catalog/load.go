package catalog

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Queryer runs a query that returns one row of one text, over the connection of the
// application or another with the same rights.
type Queryer interface {
	QueryText(ctx context.Context, query string) (string, error)
}

// MaxObjects bounds each kind of object in a snapshot (relations, foreign keys,
// triggers, functions …); a database that has more of one cannot be loaded.
const MaxObjects = 20_000

//go:embed postgres.sql
var postgresSQL string

// postgresRows is the answer to postgres.sql.
type postgresRows struct {
	Path        []string              `json:"path"`
	Relations   []relationRow         `json:"relations"`
	Keys        []keyRow              `json:"keys"`
	Parents     [][2]oid              `json:"parents"` // child, parent
	ForeignKeys []foreignKeyRow       `json:"foreign_keys"`
	Triggers    []triggerRow          `json:"triggers"`
	Rules       []oid                 `json:"rules"` // relations that have some
	Views       [][2]oid              `json:"views"` // view, what it reads
	Calls       []callRow             `json:"calls"`
	Routines    []routineRow          `json:"routines"`
	Builtin     map[string]volatility `json:"builtin"` // volatility by name, the worst of its overloads
	Operators   []operatorRow         `json:"operators"`
	Types       []typeRow             `json:"types"`
	Hidden      []string              `json:"hidden"`
}

// oid is PostgreSQL's number of an object.
type oid uint32

// user tells whether an object is not one of PostgreSQL's own.
func (o oid) user() bool { return o >= 16384 }

type relationRow struct {
	OID        oid    `json:"oid"`
	Schema     string `json:"schema"`
	Name       string `json:"name"`
	Kind       string `json:"kind"` // pg_class.relkind
	Temporary  bool   `json:"temporary"`
	Security   bool   `json:"security"`
	Generated  bool   `json:"generated"`
	Definition string `json:"definition"`
}

type keyRow struct {
	Relation oid `json:"relation"`
	Columns  []struct {
		Name          string `json:"name"`
		Type          oid    `json:"type"`
		Generated     bool   `json:"generated"`
		Deterministic bool   `json:"deterministic"`
	} `json:"columns"`
}

type foreignKeyRow struct {
	Child      oid      `json:"child"`
	Parent     oid      `json:"parent"`
	OnDelete   string   `json:"on_delete"` // pg_constraint.confdeltype
	OnUpdate   string   `json:"on_update"`
	Columns    []string `json:"columns"`
	References []string `json:"references"`
}

type triggerRow struct {
	Relation oid    `json:"relation"`
	Function oid    `json:"function"`
	Type     int    `json:"type"`    // pg_trigger.tgtype
	Builtin  string `json:"builtin"` // the name of a function of PostgreSQL's own
}

type callRow struct {
	Relation oid  `json:"relation"`
	Function oid  `json:"function"`
	Policy   bool `json:"policy"` // called for reads too
}

type routineRow struct {
	OID        oid        `json:"oid"`
	Schema     string     `json:"schema"`
	Name       string     `json:"name"`
	Volatility volatility `json:"volatility"`
	Language   string     `json:"language"`
	Special    bool       `json:"special"` // settings or a parsed body go with it
	Source     string     `json:"source"`
}

type operatorRow struct {
	Name       string     `json:"name"`
	Volatility volatility `json:"volatility"`
}

type typeRow struct {
	OID    oid        `json:"oid"`
	Schema string     `json:"schema"`
	Name   string     `json:"name"`
	Kind   string     `json:"kind"`  // pg_type.typtype
	Base   oid        `json:"base"`  // of a domain
	Input  volatility `json:"input"` // of a base type
}

// Load reads a snapshot of a PostgreSQL database, in one query.
func Load(ctx context.Context, q Queryer) (*Catalog, error) {
	text, err := q.QueryText(ctx, strings.ReplaceAll(postgresSQL, "$limit", strconv.Itoa(MaxObjects)))
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	var rows postgresRows
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("catalog: the database's answer: %w", err)
	}
	for what, n := range map[string]int{
		"relations": len(rows.Relations), "primary keys": len(rows.Keys), "children of tables": len(rows.Parents),
		"foreign keys": len(rows.ForeignKeys), "triggers": len(rows.Triggers), "rules": len(rows.Rules),
		"tables in views": len(rows.Views), "calls in tables": len(rows.Calls), "functions": len(rows.Routines),
		"operators": len(rows.Operators), "types": len(rows.Types),
	} {
		if n > MaxObjects {
			return nil, fmt.Errorf("catalog: the database has more than %d %s", MaxObjects, what)
		}
	}
	return rows.build(), nil
}
