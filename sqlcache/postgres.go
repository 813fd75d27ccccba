package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// PostgreSQL is the dialect of PostgreSQL 12 and newer.
func PostgreSQL() Dialect { return postgres{} }

type postgres struct{}

// postgresScope asks for the database, by its name, its number, and that of the cluster
// it is in, and for the settings that change what a statement means or how its result
// looks. Settings with a dot are those of extensions, and of applications.
const postgresScope = `
SELECT current_database(),
	(SELECT s.system_identifier::text || '.' || d.oid::text
		FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()),
	concat_ws(E'\n', session_user, current_user, current_schemas(true)::text, version(),
		(SELECT string_agg(name || '=' || coalesce(setting, ''), E'\n' ORDER BY name) FROM pg_settings
			WHERE name NOT LIKE '%timeout%' AND (name LIKE '%.%' OR name = 'role'
				OR category LIKE 'Client Connection Defaults / %' OR category LIKE 'Version and Platform %')))`

func (postgres) Scope(ctx context.Context, q Queryer) (Scope, error) {
	row, err := texts(ctx, q, postgresScope, 3)
	if err != nil {
		return Scope{}, err
	}
	const longest = 60 // what is cut off stands in the digest
	name := row[0]
	return Scope{
		Database: name[:min(len(name), longest)] + "." + digest(name + row[1])[:12],
		Session:  row[2],
	}, nil
}

func (postgres) Catalog(ctx context.Context, q Queryer) (Catalog, error) {
	rows, err := q.Query(ctx, "SELECT unnest(current_schemas(true))::text")
	if err != nil {
		return nil, err
	}
	path := make([]string, len(rows))
	for i, row := range rows {
		var ok bool
		if path[i], ok = textOf(row[0]); !ok {
			return nil, errAnswer
		}
	}
	c, err := catalog.Load(ctx, textQueryer{q})
	return searched{c, path}, err
}

var errAnswer = errors.New("sqlcache: the database's answer is not what was asked for")

// texts asks for one row of n texts.
func texts(ctx context.Context, q Queryer, query string, n int) ([]string, error) {
	rows, err := q.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || len(rows[0]) != n {
		return nil, errAnswer
	}
	row := make([]string, n)
	for i, v := range rows[0] {
		var ok bool
		if row[i], ok = textOf(v); !ok {
			return nil, errAnswer
		}
	}
	return row, nil
}

func textOf(v driver.Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}
