// Ratelimit lets each user do something so often, whichever instance answers.
//
// The habit it replaces:
//
//	const { success, reset } = await ratelimit.limit(ctx.session.user.id);
//	if (!success) throw new TRPCError({
//		code: "TOO_MANY_REQUESTS",
//		message: `Rate limit exceeded. Try again in ${reset - Date.now()}ms`,
//	});
//
// It is a good habit, and a service in TypeScript with the same prefix shares these
// counters. What differs: RetryAfter says when this request fits, not when the window
// ends; until then a refused caller is refused without asking Redis; and while Redis
// is away a limiter in the process stands in, where the habit throws.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/examples/patterns/internal/server"
	"github.com/larder-go/larder/ratelimit"
)

var errTooMany = errors.New("too many requests")

// limited is the middleware: three at once, then one a minute.
func limited(c conn.Conn, procedure func(context.Context) error) (func(ctx context.Context, user string) error, error) {
	l, err := ratelimit.New(c, ratelimit.Options{Algorithm: ratelimit.TokenBucket(1, time.Minute, 3), Prefix: "pattern-ratelimit"})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, user string) error {
		d, err := l.Limit(ctx, user)
		if err != nil {
			return err
		}
		if !d.Allowed {
			return fmt.Errorf("%w, try again in %v", errTooMany, d.RetryAfter.Round(time.Minute))
		}
		fmt.Printf("  %d left: ", d.Remaining)
		if err := procedure(ctx); err != nil {
			_, refund := l.Limit(ctx, user, ratelimit.Cost(-1)) // it was not the user's fault
			return errors.Join(err, refund)
		}
		return nil
	}, nil
}

func run(ctx context.Context) error {
	c, err := server.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var down error
	procedure := func(context.Context) error {
		if down == nil {
			fmt.Println("mail sent")
		}
		return down
	}
	first, err := limited(c, procedure)
	if err != nil {
		return err
	}
	second, err := limited(c, procedure) // another instance
	if err != nil {
		return err
	}
	down = errors.New("the mail server is down")
	fmt.Println("ada:", first(ctx, "ada"))
	down = nil
	for _, instance := range []func(context.Context, string) error{first, second, first, second, first} {
		if err := instance(ctx, "ada"); err != nil {
			fmt.Println("ada:", err)
		}
	}
	return second(ctx, "bob")
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
