// Cacheaside asks the cache first and the database where the cache has nothing.
//
// The habit it replaces:
//
//	const cached = await redis.get<User>(key);
//	if (cached) return cached;
//	const user = await db.query.users.findFirst(…);
//	if (user) await redis.set(key, user, { ex: 300 });
//
// Four things go wrong there. 0, "" and false count as misses, so they are never
// cached. What does not exist is asked for each time. When a popular key
// expires, every caller asks the database at once. And between the query and the
// set, an invalidation may pass unseen: the old value lands after it. Here zero
// values are values, ErrNotFound is remembered for NegativeTTL, one load runs per
// key in the fleet, and Redis refuses a load that was overtaken.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

// stock stands for a table of the database; queries counts how often it is asked.
var (
	stock   = map[string]int{"tea": 12, "coffee": 0, "sugar": 40}
	queries atomic.Int64
)

func query(_ context.Context, product string) (int, error) {
	queries.Add(1)
	n, ok := stock[product]
	if !ok {
		return 0, larder.ErrNotFound // zero would be an answer, this is none
	}
	return n, nil
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	units, err := larder.New(c, larder.Options[string, int]{
		Namespace:   "pattern-stock", // keys are "pattern-stock:tea" …
		TTL:         5 * time.Minute,
		NegativeTTL: 30 * time.Second,
		Load:        query,
	})
	if err != nil {
		return err
	}
	defer units.Close()

	for _, product := range []string{"tea", "coffee", "unicorn"} {
		for range 2 {
			n, err := units.Get(ctx, product)
			if err != nil && !errors.Is(err, larder.ErrNotFound) {
				return err
			}
			fmt.Printf("%s: %d, not found: %t, queries so far: %d\n", product, n, err != nil, queries.Load())
		}
	}

	before := queries.Load()
	var callers sync.WaitGroup
	for range 100 {
		callers.Go(func() { _, _ = units.Get(ctx, "sugar") })
	}
	callers.Wait()
	fmt.Printf("100 callers at once: %d query\n", queries.Load()-before)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
