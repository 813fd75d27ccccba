// Hitrate reads what a cache has done from its Stats.
//
// The habit it replaces: none, or the keyspace_hits of INFO, which mixes all
// uses of the server and cannot see what a process answers by itself. Stats
// tells the two tiers apart, and it counts what a ratio hides: loads, fills that
// an invalidation refused, values too large to store, calls that failed. Reading
// it costs no command, so export it as often as you like.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

func open(c conn.Conn) (*larder.Cache[int, string], error) {
	return larder.New(c, larder.Options[int, string]{
		Namespace: "pattern-page",
		TTL:       time.Minute,
		Load:      func(_ context.Context, id int) (string, error) { return fmt.Sprintf("page %d", id), nil },
	})
}

// read gets ten pages, each of them several times, and prints the statistics.
func read(ctx context.Context, name string, cache *larder.Cache[int, string], times int) error {
	for range times {
		for id := range 10 {
			if _, err := cache.Get(ctx, id); err != nil {
				return err
			}
		}
	}
	s := cache.Stats()
	fmt.Printf("%s: hit ratio %.2f (process %d, Redis %d, misses %d), %d loads, %d errors\n",
		name, s.HitRatio(), s.L1Hits, s.L2Hits, s.Misses, s.Loads, s.L2Errors)
	return nil
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	first, err := open(c)
	if err != nil {
		return err
	}
	defer first.Close()
	if err := read(ctx, "the first instance", first, 10); err != nil {
		return err
	}

	// Another instance of the service has nothing in its own memory yet.
	second, err := open(c)
	if err != nil {
		return err
	}
	defer second.Close()
	return read(ctx, "the second instance", second, 2)
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
