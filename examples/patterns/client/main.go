// Client opens the connection that everything else is given.
//
// The habit it replaces:
//
//	export const redis = new Redis({ url: process.env.UPSTASH_REDIS_REST_URL!, token: … });
//
// The exclamation mark silences the compiler: where the variable is unset, the
// module loads, and the first request of a user fails. Here opening returns an
// error that says so, before the service takes traffic. The connection is a
// value that is handed on and closed, not a global made by an import. The engine
// in the process is a decision that the program takes in words; the library
// never falls back to it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/redisconn"
)

// open takes REDIS_URL: redis://, rediss://, unix://, redis+cluster:// or
// redis+sentinel://. One that is set but empty is an error.
func open(ctx context.Context) (conn.Conn, error) {
	if url, ok := os.LookupEnv("REDIS_URL"); ok {
		return redisconn.Open(ctx, url, redisconn.Options{})
	}
	return embedded.Open(ctx) // a laptop or a test
}

func run(ctx context.Context) error {
	c, err := open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()

	// Caches, limits and sessions take c. Plain commands are there as well.
	if _, err := c.Do(ctx, conn.Key("SET", "pattern-client:greeting", "hello", "EX", "60")); err != nil {
		return err
	}
	v, err := c.Do(ctx, conn.Key("GET", "pattern-client:greeting"))
	if err != nil {
		return err
	}
	fmt.Println("greeting:", v.Str)
	fmt.Println("pushes invalidations:", c.Capabilities().Tracking)

	_, err = redisconn.Open(ctx, "", redisconn.Options{})
	if err == nil {
		return errors.New("an empty URL was accepted")
	}
	fmt.Println("an unset variable:", err)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
