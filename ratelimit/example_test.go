package ratelimit_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/analytics"
)

// open stands for redisconn.Open.
func open() conn.Conn {
	c, err := embedded.Open(context.Background())
	if err != nil {
		panic(err)
	}
	return c
}

// noon makes the output of the examples the same every time.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func Example() {
	c := open()
	defer c.Close()
	l, err := ratelimit.New(c, ratelimit.Options{
		Algorithm: ratelimit.SlidingWindow(2, 10*time.Second),
		Clock:     noon,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	for range 4 {
		d, err := l.Limit(context.Background(), "user-42")
		fmt.Println(d.Allowed, d.Remaining, d.RetryAfter, d.Reason, err)
	}
	// Output:
	// true 1 0s  <nil>
	// true 0 0s  <nil>
	// false 0 10.001s  <nil>
	// false 0 10.001s cacheBlock <nil>
}

func ExampleLimiter_Limit_cost() {
	c := open()
	defer c.Close()
	l, err := ratelimit.New(c, ratelimit.Options{Algorithm: ratelimit.TokenBucket(10, time.Minute, 100)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	ctx := context.Background()
	d, _ := l.Limit(ctx, "job", ratelimit.Cost(70))
	fmt.Println(d.Allowed, d.Remaining)
	d, _ = l.Limit(ctx, "job", ratelimit.Cost(40)) // takes nothing, since it does not fit
	fmt.Println(d.Allowed, d.Remaining)
	d, _ = l.Limit(ctx, "job", ratelimit.Cost(-70)) // the first one failed
	fmt.Println(d.Allowed, d.Remaining)
	_, err = l.Limit(ctx, "job", ratelimit.Cost(101))
	fmt.Println(err)
	// Output:
	// true 30
	// false 30
	// true 100
	// ratelimit: limit: ratelimit: bad cost: it is more than the limit, so the request can never be allowed
}

func ExampleLimiter_Wait() {
	l, err := ratelimit.New(nil, ratelimit.Options{Algorithm: ratelimit.GCRA(1000, time.Second, 1), Local: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for i := range 3 { // a millisecond apart
		if _, err := l.Wait(ctx, "mail"); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("mail", i)
	}
	// Output:
	// mail 0
	// mail 1
	// mail 2
}

func ExampleParseDenyList() {
	list, err := ratelimit.ParseDenyList(strings.NewReader("# scanners\n203.0.113.0/24\nBadBot/1.0\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := ratelimit.New(nil, ratelimit.Options{Algorithm: ratelimit.FixedWindow(5, time.Minute), Denied: list, Local: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	d, err := l.Limit(context.Background(), "user-42", ratelimit.From(ratelimit.Client{IP: "203.0.113.9"}))
	fmt.Println(d.Allowed, d.Reason, d.Denied, err)
	// Output: false denyList 203.0.113.9 <nil>
}

func ExampleOptions_analytics() {
	c := open()
	defer c.Close()
	ctx := context.Background()
	l, err := ratelimit.New(c, ratelimit.Options{
		Algorithm: ratelimit.FixedWindow(3, time.Hour), Prefix: "api", Analytics: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 5 {
		if _, err := l.Limit(ctx, "user-42", ratelimit.At(ratelimit.Geo{Country: "TR"})); err != nil {
			fmt.Println(err)
		}
	}
	if err := l.Close(); err != nil { // writes what is left
		fmt.Println(err)
	}
	r, err := analytics.NewReader(c, "api")
	if err != nil {
		fmt.Println(err)
		return
	}
	usage, err := r.Usage(ctx, 2*time.Hour)
	fmt.Println(usage["user-42"].Allowed > 0, usage["user-42"].Allowed+usage["user-42"].Limited, err)
	// Output: true 5 <nil>
}
