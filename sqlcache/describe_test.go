package sqlcache_test

import (
	"database/sql"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/sqlcache"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	config, err := pgx.ParseConfig("postgres://localhost/none")
	if err != nil {
		t.Fatal(err)
	}
	base := stdlib.GetConnector(*config) // which nobody connects
	db, err := sqlcache.OpenDB(base, c, sqlcache.Options{
		Namespace: "q", All: true, TTL: time.Hour,
		TableTTL: map[string]time.Duration{"prices": 5 * time.Second, "audit": -1, "free": 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := sqlcache.Describe(db)
	want := observe.Subject{
		Kind: observe.SQL, Name: "q", Prefixes: []string{"q:", "q-schema:"}, Pattern: "q:<hash>|<database>|<tables>",
		Type: "string", Value: "rows of a query", TTL: time.Hour, Bound: larder.DefaultStalenessBound,
		Tags:   "by table, and by row where a query names its primary key",
		Policy: "every SELECT that can be; audit never; prices up to 5s; results of up to 10000 rows and 1 MiB",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
	bare := sql.OpenDB(base)
	defer bare.Close()
	if _, err := sqlcache.Describe(bare); !errors.Is(err, sqlcache.ErrNotWrapped) {
		t.Errorf("a database of another kind: %v", err)
	}
}
