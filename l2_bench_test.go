package larder_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/redisconn"
)

// BenchmarkL2Hit compares a hit in Redis, without L1, with the limit: a bare GET
// of the client library and the same decoding, at 64 goroutines.
//
//	go test -run '^$' -bench L2Hit -count 10 .
func BenchmarkL2Hit(b *testing.B) {
	const keys = 1000
	server := redistest.Start(b)
	ctx := context.Background()
	value := user{ID: 42, Name: "somebody", Mail: "somebody@example.org", Roles: []string{"reader", "writer", "owner of a longer name", "and so on and so forth"}}

	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true, ForceSingleClient: true})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	c, err := redisconn.Open(ctx, server.URL(), redisconn.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cache, err := larder.New(c, larder.Options[int, user]{
		Namespace: "bench", TTL: time.Hour, L1MaxBytes: -1,
		Load: func(context.Context, int) (user, error) { return value, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	raw, err := json.Marshal(value)
	if err != nil {
		b.Fatal(err)
	}
	for i := range keys {
		if err := client.Do(ctx, client.B().Set().Key("bare:"+strconv.Itoa(i)).Value(string(raw)).Build()).Error(); err != nil {
			b.Fatal(err)
		}
		if _, err := cache.Get(ctx, i); err != nil {
			b.Fatal(err)
		}
	}
	check := func(u user, err error) error {
		if err == nil && u.ID != 42 {
			err = errors.New("another value")
		}
		return err
	}
	sidebyside.Run(b, 64, func(i int) error {
		data, err := client.Do(ctx, client.B().Get().Key("bare:"+strconv.Itoa(i%keys)).Build()).AsBytes()
		if err != nil {
			return err
		}
		var u user
		err = json.Unmarshal(data, &u)
		return check(u, err)
	}, func(i int) error { return check(cache.Get(ctx, i%keys)) })
}
