// Batch reads many keys at once.
//
// The habit it replaces: Promise.all over a cached getter, which is a round trip
// and, on a miss, a query for each key; or MGET, after which the code must sort
// out by hand what is missing. GetMany asks Redis once, loads what is missing
// with one query, and stores it with one round trip. Keys that do not exist are
// missing in the map.
package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

// users stands for a table of the database.
var users = map[int]string{1: "Ada", 2: "Grace", 3: "Barbara", 4: "Radia"}

// load is SELECT id, name FROM users WHERE id = ANY($1).
func load(_ context.Context, ids []int) (map[int]string, error) {
	fmt.Println("  query for", slices.Sorted(slices.Values(ids)))
	rows := map[int]string{}
	for _, id := range ids {
		if name, ok := users[id]; ok {
			rows[id] = name
		}
	}
	return rows, nil
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	names, err := larder.New(c, larder.Options[int, string]{
		Namespace:   "pattern-user",
		TTL:         time.Minute,
		NegativeTTL: 10 * time.Second,
		LoadMany:    load, // Get uses it too
	})
	if err != nil {
		return err
	}
	defer names.Close()

	for _, ids := range [][]int{{1, 2}, {1, 2, 3, 99}, {1, 2, 3, 99}} {
		fmt.Println("GetMany", ids)
		got, err := names.GetMany(ctx, ids)
		if err != nil {
			return err // got still holds what could be had
		}
		fmt.Println("  got", got)
	}
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
