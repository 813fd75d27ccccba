package sqlcache

import (
	"context"
	"database/sql/driver"
	"reflect"
	"strings"

	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
	"github.com/larder-go/larder/sqlcache/internal/stored"
)

// Dialect is what the wrapper has to know of a kind of database. Its methods are called
// while nothing else runs on the connection, and never inside a transaction.
type Dialect interface {
	// Scope asks a connection that has just been made what its results depend on.
	Scope(ctx context.Context, q Queryer) (Scope, error)
	// Catalog reads the definitions by which statements are to be judged.
	Catalog(ctx context.Context, q Queryer) (Catalog, error)
}

// Scope is what the results of a connection depend on, besides the text of a statement,
// its arguments, and the rows. Connections of the same Scope share results.
type Scope struct {
	// Database identifies the database among all that have to do with the same Redis,
	// stable over processes; up to 100 bytes.
	Database string
	// Session holds the settings that change results: the user, the time zone …
	Session string
	// Whole says that Session has all that a statement may have changed on the connection,
	// so that it is asked for again after a SET or the like. Without it, such a connection
	// does not read from the cache any more.
	Whole bool
}

// Catalog is a snapshot of a database's definitions. It is called by several goroutines
// at a time.
type Catalog interface {
	// Plan tells what a SELECT reads, or what a statement writes.
	Plan(s Statement) Plan
}

// Queryer runs one query on a connection.
type Queryer interface {
	Query(ctx context.Context, query string, args ...any) ([][]driver.Value, error)
}

// What a Catalog is asked, and what it answers.
type (
	// Statement is what the text of a statement says.
	Statement = statement.Statement
	// Plan is what a statement means for the cache.
	Plan = catalog.Plan
	// Table is a table of the database.
	Table = catalog.Table
	// Write is a table whose rows change.
	Write = catalog.Write
)

// dialectOf recognises the driver of a connection by its package, so that nobody has to
// link one that is not used.
func dialectOf(c driver.Conn) Dialect {
	t := reflect.TypeOf(c)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch path := t.PkgPath(); {
	case strings.HasPrefix(path, "github.com/jackc/pgx/"), strings.HasPrefix(path, "github.com/lib/pq"), path == pgxcache:
		return PostgreSQL()
	case strings.HasPrefix(path, "modernc.org/sqlite"), strings.HasPrefix(path, "github.com/mattn/go-sqlite3"):
		return SQLite()
	}
	return Other()
}

// pgxcache has a driver of its own.
const pgxcache = "github.com/larder-go/larder/sqlcache/pgxcache"

// searched is a catalog under a connection's search path.
type searched struct {
	*catalog.Catalog
	path []string
}

func (c searched) Plan(s Statement) Plan { return c.Catalog.Plan(s, c.path) }

// textQueryer asks for one text, as package catalog does.
type textQueryer struct{ Queryer }

func (q textQueryer) QueryText(ctx context.Context, query string) (string, error) {
	row, err := texts(ctx, q.Queryer, query, 1)
	if err != nil {
		return "", err
	}
	return row[0], nil
}

// queryer is a Queryer over a driver's connection.
type queryer struct{ base driver.Conn }

func (q queryer) Query(ctx context.Context, query string, args ...any) ([][]driver.Value, error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	r, err := queryBase(ctx, q.base, query, named)
	if err != nil {
		return nil, err
	}
	all, err := stored.Drain(r, stored.Limits{Rows: 1 << 20, Bytes: 256 << 20})
	if err != nil {
		_ = all.Close()
		return nil, err
	}
	table := make([][]driver.Value, all.Count())
	for i := range table {
		table[i] = make([]driver.Value, len(all.Columns()))
		if err := all.Next(table[i]); err != nil {
			return nil, err
		}
	}
	return table, nil
}
