// Invalidate drops what is cached by key, by prefix, by tag and by namespace.
//
// The habit it replaces:
//
//	const keys = await redis.keys("user:*");                // blocks Redis for all
//	await redis.del(...keys);
//	const tagged = await redis.smembers(`tag:${tag}`);      // grows with every entry
//	await redis.del(...tagged, `tag:${tag}`);               // misses what came in between
//
// Here a tag is one counter: to bump it is one command however many entries
// carry it, of all namespaces, and nothing grows. A namespace works the same. A
// prefix is walked in small steps with SCAN, never KEYS. Once a call has returned
// nil, no Get that starts later gets a value whose load began before it.
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

// Member is the key: its text is "org=acme&id=1".
type Member struct {
	Org string
	ID  int
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var loaded []string
	names, err := larder.New(c, larder.Options[Member, string]{
		Namespace: "pattern-member",
		TTL:       5 * time.Minute,
		Load: func(_ context.Context, m Member) (string, error) {
			who := fmt.Sprintf("%s/%d", m.Org, m.ID)
			loaded = append(loaded, who)
			return "the name of " + who, nil
		},
		Tags: func(m Member) []string { return []string{fmt.Sprintf("pattern-team:%d", m.ID%2)} },
	})
	if err != nil {
		return err
	}
	defer names.Close()

	for _, step := range []struct {
		name       string
		invalidate func() error
	}{
		{"at first", func() error { return nil }},
		{"nothing", func() error { return nil }},
		{"key acme/1", func() error { return names.Invalidate(ctx, Member{"acme", 1}) }},
		{"prefix org=acme", func() error { return names.InvalidatePrefix(ctx, "org=acme&") }},
		{"tag pattern-team:1", func() error { return larder.InvalidateTags(ctx, c, "pattern-team:1") }},
		{"namespace", func() error { return names.Clear(ctx) }},
	} {
		if err := step.invalidate(); err != nil {
			return err
		}
		loaded = nil
		for _, m := range []Member{{"acme", 1}, {"acme", 2}, {"zeta", 1}, {"zeta", 2}} {
			if _, err := names.Get(ctx, m); err != nil {
				return err
			}
		}
		fmt.Printf("%-18s -> loaded again: [%s]\n", step.name, strings.Join(loaded, " "))
	}
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
