package upstash_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/upstash"
)

// A cache in a function that reaches Redis over HTTP only. The gateway stands for
// the service here. Values are not held in the process, as nothing would tell it
// that they have changed.
func ExampleOpen() {
	ctx := context.Background()
	engine, err := embedded.Open(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = engine.Close() }()
	g, err := gateway.New(engine, gateway.Options{Token: "a-long-secret"})
	if err != nil {
		panic(err)
	}
	defer func() { _ = g.Close() }()
	srv := httptest.NewServer(g)
	defer srv.Close()

	c, err := upstash.Open(ctx, srv.URL, "a-long-secret", upstash.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = c.Close() }()
	greetings, err := larder.New(c, larder.Options[string, string]{
		Namespace:  "greeting",
		TTL:        time.Minute,
		L1MaxBytes: -1,
		Load:       func(_ context.Context, name string) (string, error) { return "hello " + name, nil },
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = greetings.Close() }()
	fmt.Println(greetings.Get(ctx, "world"))
	// Output: hello world <nil>
}
