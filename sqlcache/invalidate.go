package sqlcache

import (
	"context"
	"database/sql"
	"strings"
)

// Invalidate drops what is cached of tables, each named "schema.table" ("main.table" in
// SQLite) and not a view; without tables, everything of the database. It is for writes
// that did not pass through the wrapper, once they are committed. As with
// larder.InvalidateTags, an error that is larder.ErrInvalidationPending means that Redis
// could not be told yet.
func Invalidate(ctx context.Context, db *sql.DB, tables ...string) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driverConn any) error {
		c, ok := driverConn.(*conn)
		if !ok {
			return ErrNotWrapped
		}
		return c.invalidate(ctx, tables)
	})
}

func (c *conn) invalidate(ctx context.Context, tables []string) error {
	s := c.inScope(ctx)
	e := effects{everything: s == nil || len(tables) == 0}
	for _, name := range tables {
		if !strings.Contains(name, ".") {
			return optionError("a table", name, "schema.table")
		}
		e.add(name, "")
		e.add(name+"*", "")
	}
	return c.db.cache.InvalidateTags(ctx, e.tags(s)...)
}
