// Warm fills the cache before the first user comes.
//
// The habit it replaces: a script that queries everything and sets key after
// key. It loads what is there already, runs once per instance that starts, and
// overwrites what was invalidated while it ran. Warm loads only what is missing,
// in batches and with a bound on concurrency; instances that warm together share
// the work, and a load that an invalidation overtakes does not land.
package main

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

var queries atomic.Int64

// prices answers a whole batch with one query.
func prices(_ context.Context, products []int) (map[int]int, error) {
	queries.Add(1)
	found := make(map[int]int, len(products))
	for _, id := range products {
		found[id] = 100 + id
	}
	return found, nil
}

// bestsellers yields the keys one by one; they may come from a cursor.
func bestsellers(yield func(int) bool) {
	for id := range 40 {
		if !yield(id) {
			return
		}
	}
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	cache, err := larder.New(c, larder.Options[int, int]{
		Namespace: "pattern-price",
		TTL:       time.Minute,
		LoadMany:  prices,
	})
	if err != nil {
		return err
	}
	defer cache.Close()

	for _, title := range []string{"cold", "warm"} {
		report, err := cache.Warm(ctx, bestsellers, larder.WarmOptions{
			Concurrency: 2,
			Batch:       10,
			Progress:    func(r larder.WarmReport) { fmt.Printf("  %d of 40\n", r.Done) },
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d done, %d failed, %d queries so far\n", title, report.Done, report.Failed, queries.Load())
	}

	v, err := cache.Get(ctx, 7)
	fmt.Printf("the first user gets %d, %d queries so far\n", v, queries.Load())
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
