// Procedure caches the answers of a remote procedure by its input, as a tRPC
// middleware does.
//
// The habit it replaces:
//
//	const cacheKey = `trpc:${path}:${JSON.stringify(input)}`;
//	const cached = await redis.get(cacheKey);
//	if (cached) return { ...next(), data: cached };
//	const result = await next();
//	if (result.ok) await redis.set(cacheKey, result.data, { ex: 60 });
//
// JSON.stringify writes fields in the order in which they were set, so equal
// inputs get different keys. And next() runs the procedure even on a hit: the
// cache saves nothing. Here the key is the input struct itself, in the order of
// its declaration, and a hit never reaches the procedure. Errors are not cached.
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

// cached is the middleware: call Get in place of the procedure.
func cached[In comparable, Out any](
	c conn.Conn, path string, procedure func(context.Context, In) (Out, error),
) (*larder.Cache[In, Out], error) {
	return larder.New(c, larder.Options[In, Out]{Namespace: path, TTL: time.Minute, Load: procedure})
}

// ListInput is the input of post.list. Its Redis key reads
// "pattern-post.list:author=ada&page=1".
type ListInput struct {
	Author string
	Page   int
}

// Post is one item of the answer.
type Post struct{ Title string }

func listPosts(_ context.Context, in ListInput) ([]Post, error) {
	fmt.Printf("  the procedure runs: %s, page %d\n", in.Author, in.Page)
	if in.Page > 1 {
		return nil, nil // an empty page is an answer, and cached as one
	}
	return []Post{{"Notes by " + in.Author}}, nil
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	posts, err := cached(c, "pattern-post.list", listPosts)
	if err != nil {
		return err
	}
	defer posts.Close()

	for _, in := range []ListInput{
		{Author: "ada", Page: 1},
		{Page: 1, Author: "ada"}, // the same key, however it is written
		{Author: "ada", Page: 2},
		{Author: "ada", Page: 2},
	} {
		out, err := posts.Get(ctx, in)
		if err != nil {
			return err
		}
		fmt.Printf("post.list %s, page %d: %d posts\n", in.Author, in.Page, len(out))
	}
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
