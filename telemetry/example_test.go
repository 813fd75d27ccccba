package telemetry_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/telemetry"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	ctx := context.Background()
	c, err := embedded.Open(ctx) // or redisconn.Open
	check(err)
	defer func() { _ = c.Close() }()
	tel, err := telemetry.New(c, telemetry.Options{Service: "shop"})
	check(err)
	users, err := larder.New(c, larder.Options[int, string]{
		Namespace: "user", TTL: time.Minute, Observer: tel,
		Load: func(_ context.Context, id int) (string, error) { return fmt.Sprint("user ", id), nil },
	})
	check(err)
	http.Handle("/metrics", tel.Handler())

	for range 4 {
		_, err = users.Get(ctx, 42)
		check(err)
	}

	check(users.Close())
	check(tel.Close(ctx)) // writes what is left

	// In any other process that knows the Redis server:
	f, err := telemetry.ReadFleet(ctx, c, time.Now().Add(-5*time.Minute), time.Now())
	check(err)
	fmt.Println(f.Total(telemetry.Key{Metric: "larder.cache.hits", Name: "user"}), "hits,",
		f.Total(telemetry.Key{Metric: "larder.cache.misses"}), "miss")
	// Output: 3 hits, 1 miss
}
