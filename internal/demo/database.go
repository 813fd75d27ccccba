package demo

import (
	"context"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// database says where the documentation is: in a SQLite file or, if Postgres is not
// empty, on a PostgreSQL server.
type database struct {
	Path     string `json:"path,omitempty"`
	Postgres string `json:"postgres,omitempty"` // a URL, which may hold a password
}

// build fills it from the sources under goroot; remove undoes that. A build that fails
// leaves nothing on a server.
func (d database) build(ctx context.Context, goroot string, progress func(packages int)) (size databaseSize, remove func() error, err error) {
	if d.Postgres != "" {
		return buildPostgres(ctx, d.Postgres, goroot, progress)
	}
	size, err = buildDatabase(ctx, d.Path, goroot, progress)
	return size, func() error { return nil }, err
}

func (d database) open() (*store, error) {
	if d.Postgres != "" {
		return openPostgres(d.Postgres)
	}
	return openStore(d.Path)
}

// cache is what stands before s, which open returned; o watches it.
func (d database) cache(prefix string, s *store, c conn.Conn, o observe.Observer) (cache, error) {
	if d.Postgres != "" {
		return newStatements(prefix, d.Postgres, c, o)
	}
	return newCaches(prefix, s, c, o)
}
