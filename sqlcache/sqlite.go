package sqlcache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// SQLite is the dialect of SQLite. A database is known by its file and by the name of
// the machine; one in memory is not cached. Reads of views are not cached, writes of
// tables that have triggers, or that others refer to with an action, drop everything.
func SQLite() Dialect { return sqlite{} }

type sqlite struct{}

var errInMemory = errors.New("sqlcache: a database in memory has no name that others could know it by")

func (sqlite) Scope(ctx context.Context, q Queryer) (Scope, error) {
	file, err := texts(ctx, q, "SELECT file FROM pragma_database_list WHERE name = 'main'", 1)
	switch {
	case err != nil:
		return Scope{}, err
	case file[0] == "":
		return Scope{}, errInMemory
	}
	host, err := os.Hostname()
	if err != nil {
		return Scope{}, err
	}
	path, err := filepath.EvalSymlinks(file[0])
	if err != nil {
		return Scope{}, err
	}
	name := filepath.Base(path)
	return Scope{Database: name[:min(len(name), 60)] + "." + digest(host + "\x00" + path)[:12]}, nil
}

// sqliteCatalog holds the tables of the main database, by their names in lower case.
type sqliteCatalog map[string]*sqliteTable

type sqliteTable struct {
	Table
	entangled bool // writing it changes other tables
}

func (sqlite) Catalog(ctx context.Context, q Queryer) (Catalog, error) {
	rows, err := q.Query(ctx, `SELECT lower(t.name),
			EXISTS (SELECT 1 FROM sqlite_schema g WHERE g.type = 'trigger' AND lower(g.tbl_name) = lower(t.name))
			OR EXISTS (SELECT 1 FROM sqlite_schema c, pragma_foreign_key_list(c.name) f
				WHERE c.type = 'table' AND lower(f."table") = lower(t.name)
					AND (f.on_delete NOT IN ('NO ACTION', 'RESTRICT') OR f.on_update NOT IN ('NO ACTION', 'RESTRICT')))
		FROM sqlite_schema t
		WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	c := sqliteCatalog{}
	for _, row := range rows {
		name := fmt.Sprint(row[0])
		c[name] = &sqliteTable{Table{Schema: "main", Name: name}, row[1] != int64(0)}
	}
	return c, nil
}

func (c sqliteCatalog) find(n statement.Name) *sqliteTable {
	if n.Schema != "" && !strings.EqualFold(n.Schema, "main") {
		return nil
	}
	return c[strings.ToLower(n.Name)]
}

func (c sqliteCatalog) Plan(s Statement) Plan {
	p := Plan{Why: s.Why, Session: s.Kind == statement.Session}
	for _, t := range s.Writes {
		table := c.find(t.Name)
		if table == nil || table.entangled {
			return Plan{Everything: true, Outdated: table == nil, Why: "it writes " + t.Name.Name}
		}
		p.Writes = append(p.Writes, Write{Table: &table.Table})
	}
	for _, n := range s.Reads {
		table := c.find(n)
		if table == nil {
			p.Why, p.Outdated = n.Name+" is not a table", true
			continue
		}
		p.Reads = append(p.Reads, &table.Table)
	}
	if p.Why == "" && !onlyReads(&s) {
		p.Why = "it calls a function that is not known to change nothing"
	}
	p.Cacheable = p.Why == ""
	return p
}
