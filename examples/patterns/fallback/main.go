// Fallback loses Redis while it runs, and goes on.
//
// The habit it replaces: try and catch around each redis.get, forgotten in one
// place, and a client that retries for seconds while requests pile up. Here a
// call spends at most CacheTimeout on Redis; then the source answers, one load
// per key and process, and nothing is stored. What may not be hidden is not: an
// invalidation that could not be delivered is an error, since other instances
// would go on serving the old value; it is tried again until Redis answers.
//
// The end of Redis is simulated by closing the connection of this instance.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var queries atomic.Int64
	names, err := larder.New(c, larder.Options[int, string]{
		Namespace:    "pattern-name",
		TTL:          time.Minute,
		CacheTimeout: 100 * time.Millisecond,
		Load: func(_ context.Context, id int) (string, error) {
			queries.Add(1)
			return fmt.Sprintf("user %d", id), nil
		},
	})
	if err != nil {
		return err
	}
	defer names.Close()

	get := func() error {
		for _, id := range []int{1, 2, 1} {
			name, err := names.Get(ctx, id)
			if err != nil {
				return err
			}
			fmt.Printf("  %s, queries so far: %d\n", name, queries.Load())
		}
		return nil
	}
	fmt.Println("Redis is there:")
	if err := get(); err != nil {
		return err
	}

	if err := c.Close(); err != nil {
		return err
	}
	fmt.Println("Redis is gone, the source answers:")
	if err := get(); err != nil {
		return err
	}

	err = names.Invalidate(ctx, 1)
	if !errors.Is(err, larder.ErrInvalidationPending) {
		return fmt.Errorf("the invalidation returned %w, want ErrInvalidationPending", err)
	}
	fmt.Println("an invalidation is not lost in silence:", names.Stats().Pending, "pending")
	fmt.Println("the failures are counted:", names.Stats().L2Errors > 0)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
