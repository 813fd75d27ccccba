package sqlcache_test

import (
	"database/sql"
	"testing"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/sqlcache"
)

// BenchmarkLookup reads one row by its primary key: from PostgreSQL, through the wrapper
// without the cache, and from the cache.
func BenchmarkLookup(b *testing.B) {
	url := pgtest.Database(b)
	pgtest.Do(b, url, "CREATE TABLE users (id bigint PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ada')")
	c, err := embedded.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	bare := sql.OpenDB(connector(b, url))
	defer bare.Close()
	db, err := sqlcache.OpenDB(connector(b, url), c, sqlcache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, bm := range []struct {
		name  string
		db    *sql.DB
		query string
	}{
		{"direct", bare, "SELECT name FROM users WHERE id = $1"},
		{"bypass", db, "SELECT name FROM users WHERE id = $1"},
		{"hit", db, "SELECT /* larder: ttl=1h */ name FROM users WHERE id = $1"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			var name string
			for b.Loop() {
				if err := bm.db.QueryRowContext(b.Context(), bm.query, 1).Scan(&name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
