// Writethrough writes to the database and puts the new value into the cache, so
// that the next reader need not load it.
//
// The habit it replaces: redis.set after the update. A reader that began to load
// before the update writes the old value over the new one, and it stays for its
// TTL; so it does where the process dies between the two. WriteThrough puts up a
// barrier first: the old value goes, whoever reads meanwhile loads without storing,
// and a process that dies leaves a barrier that ends by itself and no value. Where
// two writers meet, the key is dropped and the next Get loads, since only the
// database knows which of them came last.
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

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var price, queries atomic.Int64 // a row of the database, in cents
	prices, err := larder.New(c, larder.Options[string, int64]{
		Namespace: "pattern-tea",
		TTL:       time.Minute,
		Load: func(context.Context, string) (int64, error) {
			queries.Add(1)
			return price.Load(), nil
		},
	})
	if err != nil {
		return err
	}
	defer prices.Close()
	update := func(cents int64) error {
		return prices.WriteThrough(ctx, "assam", func(context.Context) (int64, error) {
			price.Store(cents) // UPDATE prices SET cents = …
			return cents, nil
		})
	}
	if err := update(320); err != nil {
		return err
	}
	v, err := prices.Get(ctx, "assam")
	if err != nil {
		return err
	}
	fmt.Printf("after the update: %d, queries: %d\n", v, queries.Load())

	// A reader has loaded the old price and is slow to return it.
	if err := prices.Invalidate(ctx, "assam"); err != nil {
		return err
	}
	loaded, release, done := make(chan struct{}), make(chan struct{}), make(chan int64)
	go func() {
		v, _ := prices.GetWith(ctx, "assam", func(context.Context, string) (int64, error) {
			old := price.Load()
			close(loaded)
			<-release
			return old, nil
		})
		done <- v
	}()
	<-loaded
	if err := update(350); err != nil {
		return err
	}
	close(release)
	fmt.Println("the reader that came before the update:", <-done)
	v, err = prices.Get(ctx, "assam")
	fmt.Printf("all that come after it: %d, queries: %d\n", v, queries.Load())
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
