package sqlcache

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// SQLite is the dialect of SQLite. A database is known by its file and by the name of
// the machine; one in memory is not cached.
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

func (sqlite) Catalog(ctx context.Context, q Queryer) (Catalog, error) {
	c, err := catalog.LoadSQLite(ctx, textQueryer{q})
	return searched{c, []string{"main"}}, err
}
