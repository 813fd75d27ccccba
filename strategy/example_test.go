package strategy_test

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

func Example() {
	ctx := context.Background()
	c, err := embedded.Open(ctx) // or redisconn.Open(ctx, url, redisconn.Options{})
	if err != nil {
		return
	}
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, string]{Namespace: "user", TTL: 5 * time.Minute})
	if err != nil {
		return
	}
	defer users.Close()

	registry, err := strategy.New(c, strategy.Options{Service: "shop", Version: "v1"})
	if err != nil {
		return
	}
	defer registry.Close()
	err = registry.Declare(users, strategy.About{
		Purpose:       "names for the header of every page",
		Owner:         "accounts",
		Criticality:   strategy.Medium,
		Why:           "a name changes about once a month",
		Staleness:     "none once a change is saved",
		Invalidation:  "Users.Save calls Invalidate(id) after the commit",
		InvalidatedBy: []string{"Users.Save"},
	})
	fmt.Println(err)
	fmt.Println(registry.Publish(ctx)) // it happens by itself within a second

	doc, err := strategy.Read(ctx, c) // in any other program
	if err != nil {
		return
	}
	claim, found := doc.Find(observe.Cache, "user")
	fmt.Println(found, claim.Service.Name, claim.Declaration.TTL, claim.Declaration.About.Owner, len(doc.Warnings))
	// Output:
	// <nil>
	// <nil>
	// true shop 5m0s accounts 0
}

// Keys that a program keeps by itself are declared by hand, and nobody else can claim
// them then.
func ExampleRegistry_Declare() {
	c, err := embedded.Open(context.Background())
	if err != nil {
		return
	}
	defer c.Close()
	registry, err := strategy.New(c, strategy.Options{Service: "shop"})
	if err != nil {
		return
	}
	defer registry.Close()
	carts := observe.Subject{Kind: observe.Keys, Name: "cart", Prefixes: []string{"cart:"}, Type: "hash", TTL: time.Hour}
	fmt.Println(registry.Declare(carts, strategy.About{}))
	fmt.Println(registry.Declare(carts, strategy.About{Invalidation: "the checkout deletes it"}))
	open := observe.Subject{Kind: observe.Keys, Name: "open", Prefixes: []string{"cart:open:"}, Type: "set"}
	fmt.Println(registry.Declare(open, strategy.About{}))
	// Output:
	// strategy: keys "cart": About.Invalidation is empty, and a value may be seen for 1h; write who drops an entry, and when: "Users.Save calls Invalidate(id) after the commit"; if nothing does, say so, and why that is all right
	// <nil>
	// strategy: keys "open": TTL is 0: its keys would stay for ever; write one of 1s to 30d (Options.MinTTL and MaxTTL), and set it wherever the keys are written
	// strategy: keys "open": Prefixes has "cart:open:", which overlaps "cart:" of keys "cart"; write a name that is no beginning of the other's, so that neither reads or drops keys of the other
}
