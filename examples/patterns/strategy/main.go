// Strategy declares what a service caches, and why, where it is made.
//
// The habit it replaces: a wiki page with a table of key prefixes and TTLs, and a rule
// that invalidation is documented. It is right on the day it is written. Here prefix,
// TTL and tags come from the options, the rest is checked when the program starts, and
// whoever has the Redis URL can read what runs at the moment: larder strategy.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, string]{
		Namespace: "pattern-user",
		TTL:       5 * time.Minute,
		Load:      func(_ context.Context, id int64) (string, error) { return fmt.Sprint("user ", id), nil },
		Tags:      func(int64) []string { return []string{"pattern-users"} },
	})
	if err != nil {
		return err
	}
	defer users.Close()

	registry, err := strategy.New(c, strategy.Options{Service: "pattern-shop", Version: "v1", Keep: 5 * time.Minute})
	if err != nil {
		return err
	}
	defer registry.Close()

	// What is left out, and what collides, is refused with what to write.
	fmt.Println(registry.Declare(users, strategy.About{Owner: "accounts"}))
	if err := registry.Declare(users, strategy.About{
		Purpose:       "names for the header of every page",
		Owner:         "accounts",
		Criticality:   strategy.Medium,
		Why:           "a name changes about once a month",
		Staleness:     "none once a change is saved",
		Invalidation:  "Users.Save invalidates the key after the commit; the nightly import, the tag",
		Source:        []string{"PostgreSQL: users"},
		InvalidatedBy: []string{"Users.Save", "job import"},
	}); err != nil {
		return err
	}
	// Keys that no feature of Larder keeps are declared by hand.
	own := observe.Subject{Kind: observe.Keys, Name: "import", Prefixes: []string{"pattern-user:import:"}, TTL: time.Hour}
	fmt.Println(registry.Declare(own, strategy.About{Invalidation: "the import deletes its marks"}))

	// It happens by itself within a second.
	if err := registry.Publish(ctx); err != nil {
		return err
	}
	doc, err := strategy.Read(ctx, c)
	if err != nil {
		return err
	}
	fmt.Print(doc.Diff(&strategy.Document{}).Markdown())
	claim, _ := doc.Find(observe.Cache, "pattern-user")
	fmt.Printf("%s lives %v: %s\n", claim.Declaration.Pattern, claim.Declaration.TTL, claim.Declaration.About.Invalidation)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
