package embedded_test

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

func ExampleOpen() {
	ctx := context.Background()
	c, err := embedded.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Do(ctx, conn.Key("SET", "greeting", "hello", "EX", "60")); err != nil {
		fmt.Println(err)
		return
	}
	v, err := c.Do(ctx, conn.Key("GET", "greeting"))
	fmt.Println(v.Str, err)
	// Output: hello <nil>
}
