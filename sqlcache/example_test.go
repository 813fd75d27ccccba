package sqlcache_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/sqlcache"
)

func ExampleOpenDB() {
	ctx := context.Background()
	c, err := redisconn.Open(ctx, os.Getenv("REDIS_URL"), redisconn.Options{})
	if err != nil {
		return
	}
	defer c.Close()
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return
	}
	db, err := sqlcache.OpenDB(stdlib.GetConnector(*config), c, sqlcache.Options{
		TableTTL: map[string]time.Duration{"prices": 5 * time.Second, "audit": -1},
	})
	if err != nil {
		return
	}
	defer db.Close()

	// Cached, since it asks for it, until somebody writes orders.
	var n int
	err = db.QueryRowContext(ctx, "SELECT /* larder: ttl=10m */ count(*) FROM orders").Scan(&n)
	fmt.Println(n, err)

	// Whatever a library runs under this context.
	ctx = sqlcache.With(ctx, sqlcache.Query{TTL: time.Minute, Tags: []string{"report"}})
	rows, err := db.QueryContext(ctx, "SELECT id FROM orders")
	if err != nil {
		return
	}
	defer rows.Close()

	x, err := sqlcache.Explain(ctx, db, "SELECT id FROM orders WHERE placed > now()")
	fmt.Println(x.Cached, x.Why, err)
}
