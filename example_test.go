package larder_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
)

// User is a row of the table that the examples cache.
type User struct {
	ID   int64
	Name string
}

// table stands for a database. It prints what it is asked.
type table map[int64]User

func (t table) User(_ context.Context, id int64) (User, error) {
	fmt.Println("select", id)
	u, ok := t[id]
	if !ok {
		return User{}, larder.ErrNotFound
	}
	return u, nil
}

func (t table) Users(_ context.Context, ids []int64) (map[int64]User, error) {
	fmt.Println("select", slices.Sorted(slices.Values(ids)))
	found := maps.Clone(map[int64]User(t))
	maps.DeleteFunc(found, func(id int64, _ User) bool { return !slices.Contains(ids, id) })
	return found, nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	ctx, db := context.Background(), table{42: {ID: 42, Name: "Ada"}}

	c, err := embedded.Open(ctx) // or redisconn.Open(ctx, url, redisconn.Options{})
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user",
		TTL:       5 * time.Minute,
		Load:      db.User, // func(ctx context.Context, id int64) (User, error)
		Tags:      func(int64) []string { return []string{"users"} },
	})
	check(err)
	defer users.Close()

	u, err := users.Get(ctx, 42) // loads once, however many callers ask
	fmt.Println(u.Name, err)
	check(users.Invalidate(ctx, 42))              // after the row was written
	check(larder.InvalidateTags(ctx, c, "users")) // one command, however many entries
	// Output:
	// select 42
	// Ada <nil>
}

// The second call finds two keys in the cache and loads the others with one
// query. What does not exist is missing in the map.
func ExampleCache_GetMany() {
	ctx, db := context.Background(), table{1: {1, "Ada"}, 2: {2, "Grace"}, 3: {3, "Barbara"}}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user", TTL: time.Minute, LoadMany: db.Users,
	})
	check(err)
	defer users.Close()

	for _, ids := range [][]int64{{1, 2}, {1, 2, 3, 99}} {
		found, err := users.GetMany(ctx, ids)
		check(err)
		fmt.Println(len(found), "found")
	}
	// Output:
	// select [1 2]
	// 2 found
	// select [3 99]
	// 3 found
}

// A value at hand needs no load.
func ExampleCache_Set() {
	ctx, db := context.Background(), table{1: {1, "Ada"}}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user", TTL: time.Minute, Load: db.User,
	})
	check(err)
	defer users.Close()

	db[1] = User{1, "Ada Lovelace"} // the source first
	check(users.Set(ctx, 1, db[1]))

	u, err := users.Get(ctx, 1)
	fmt.Println(u.Name, err)
	// Output: Ada Lovelace <nil>
}

// The fields of a struct key are its parts, in their order.
func ExampleCache_WriteThrough() {
	ctx, db := context.Background(), table{42: {ID: 42, Name: "Ada"}}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{Namespace: "user", TTL: time.Minute, Load: db.User})
	check(err)
	defer users.Close()

	check(users.WriteThrough(ctx, 42, func(context.Context) (User, error) {
		fmt.Println("update 42")
		db[42] = User{ID: 42, Name: "Ada Lovelace"}
		return db[42], nil
	}))
	u, err := users.Get(ctx, 42) // needs no load
	fmt.Println(u.Name, err)
	// Output:
	// update 42
	// Ada Lovelace <nil>
}

func ExampleCache_InvalidatePrefix() {
	type page struct {
		Tenant string
		Number int
	}
	ctx := context.Background()
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	pages, err := larder.New(c, larder.Options[page, string]{
		Namespace: "page", TTL: time.Minute,
		Load: func(_ context.Context, p page) (string, error) {
			fmt.Println("load", p.Tenant, p.Number)
			return "…", nil
		},
	})
	check(err)
	defer pages.Close()

	read := func() {
		for _, p := range []page{{"acme", 1}, {"acme", 2}, {"zeta", 1}} {
			_, err := pages.Get(ctx, p)
			check(err)
		}
	}
	read()
	check(pages.InvalidatePrefix(ctx, "tenant=acme&"))
	read()
	// Output:
	// load acme 1
	// load acme 2
	// load zeta 1
	// load acme 1
	// load acme 2
}

func ExampleCache_Warm() {
	ctx, db := context.Background(), table{1: {1, "Ada"}, 2: {2, "Grace"}, 3: {3, "Barbara"}}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user", TTL: time.Minute, LoadMany: db.Users,
	})
	check(err)
	defer users.Close()

	report, err := users.Warm(ctx, slices.Values([]int64{1, 2, 3}), larder.WarmOptions{
		Concurrency: 1,
		Batch:       2,
		Progress:    func(r larder.WarmReport) { fmt.Println(r.Done, "done") },
	})
	check(err)
	fmt.Printf("%+v\n", report)
	// Output:
	// select [1 2]
	// 2 done
	// select [3]
	// 3 done
	// {Done:3 Failed:0}
}

func ExampleCache_Stats() {
	ctx, db := context.Background(), table{1: {1, "Ada"}}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user", TTL: time.Minute, Load: db.User,
	})
	check(err)
	defer users.Close()

	for range 4 {
		_, err := users.Get(ctx, 1)
		check(err)
	}
	s := users.Stats()
	fmt.Println(s.HitRatio(), "of the Gets were hits,", s.Loads, "load")
	// Output:
	// select 1
	// 0.75 of the Gets were hits, 1 load
}

// A value past its TTL is served at once while a new one is loaded behind it, and
// for as long as that fails.
func ExampleOptions_staleFor() {
	ctx, up := context.Background(), true
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	rates, err := larder.New(c, larder.Options[string, float64]{
		Namespace:  "rate",
		TTL:        20 * time.Millisecond,
		StaleFor:   time.Hour,
		RetryAfter: time.Hour, // how long a source that fails is left in peace
		Load: func(context.Context, string) (float64, error) {
			if !up {
				return 0, errors.New("the source is down")
			}
			return 1.08, nil
		},
	})
	check(err)
	defer rates.Close()

	_, err = rates.Get(ctx, "EUR")
	check(err)
	up = false
	for rates.Stats().LoadErrors == 0 { // until its TTL has passed
		_, err := rates.Get(ctx, "EUR")
		check(err)
	}
	v, err := rates.Get(ctx, "EUR")
	fmt.Println(v, err)
	// Output: 1.08 <nil>
}

// ErrNotFound says that there is no value; a zero is one.
func ExampleOptions_negativeTTL() {
	ctx, db := context.Background(), table{}
	c, err := embedded.Open(ctx)
	check(err)
	defer c.Close()
	users, err := larder.New(c, larder.Options[int64, User]{
		Namespace: "user", TTL: time.Minute, NegativeTTL: 10 * time.Second, Load: db.User,
	})
	check(err)
	defer users.Close()

	for range 3 {
		_, err := users.Get(ctx, 7)
		fmt.Println(errors.Is(err, larder.ErrNotFound))
	}
	// Output:
	// select 7
	// true
	// true
	// true
}

// A cache without Redis has to be asked for: no Conn alone is an error.
func ExampleOptions_local() {
	ctx, db := context.Background(), table{1: {1, "Ada"}}
	opts := larder.Options[int64, User]{Namespace: "user", TTL: time.Minute, Load: db.User}
	_, err := larder.New(nil, opts)
	fmt.Println(err)

	opts.Local = true
	users, err := larder.New(nil, opts)
	check(err)
	defer users.Close()
	u, err := users.Get(ctx, 1)
	fmt.Println(u.Name, err)
	// Output:
	// larder: conn is "nil"; allowed: a connection, or Options.Local for a cache without Redis
	// select 1
	// Ada <nil>
}
