package redisconn_test

import (
	"context"
	"fmt"
	"os"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/redisconn"
)

func ExampleOpen() {
	ctx := context.Background()
	c, err := redisconn.Open(ctx, os.Getenv("REDIS_URL"), redisconn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	v, err := c.Do(ctx, conn.Key("GET", "greeting"))
	fmt.Println(v.Str, err)
}

// An unset variable is an error, never a connection to something else.
func ExampleOpen_emptyURL() {
	_, err := redisconn.Open(context.Background(), "", redisconn.Options{})
	fmt.Println(err)
	// Output: redisconn: the URL is empty (is the variable set that it comes from?); nothing is used in its place
}
