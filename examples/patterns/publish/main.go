// Publish sends events to other processes, and receives them.
//
// The habit it replaces:
//
//	await redis.publish(channel, JSON.stringify(event));
//	// "true pub/sub is not supported, use polling"
//
// What is published while a subscriber reconnects is lost there, and nobody says
// so; a message that cannot be parsed ends the loop that reads them. Here a durable
// topic lets a subscriber go on after the last message that it has seen, and a
// topic that is not durable tells a subscriber that it has missed something. A
// publish that was repeated after a timeout is stored once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/examples/patterns/internal/server"
)

// Order is the payload: plain JSON on the channel, for readers in any language.
type Order struct {
	ID    int    `json:"id"`
	State string `json:"state"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := server.Open(ctx)
	check(err)
	defer c.Close()
	orders, err := event.NewTopic[Order](c, "pattern-orders", event.Options{Durable: true, Retention: time.Hour})
	check(err)
	defer orders.Close()

	live, err := orders.Subscribe(ctx)
	check(err)
	var ids []string
	for i, state := range []string{"created", "paid", "shipped"} {
		// A key of its own for each run; a real one names the change.
		once := event.Once(fmt.Sprintf("%d-%s-%d", i, state, time.Now().UnixNano()))
		for range 2 { // the second is a repetition after an answer that got lost
			id, err := orders.Publish(ctx, Order{7, state}, once)
			check(err)
			if len(ids) == i {
				ids = append(ids, id)
			} else if id == ids[i] {
				fmt.Printf("%s: repeated, stored once\n", state)
			}
		}
	}
	fmt.Println("who listens:")
	show(ctx, live, 3)

	fmt.Println("who was away after the first:")
	again, err := orders.Subscribe(ctx, event.From(ids[0]))
	check(err)
	show(ctx, again, 2)
}

// show prints the next n messages.
func show(ctx context.Context, s *event.Subscription[Order], n int) {
	for m, err := range s.Messages(ctx) {
		var gap *event.GapError
		switch {
		case errors.As(err, &gap):
			fmt.Println("  something is missing:", gap.Reason)
		case err != nil:
			fmt.Println("  not an order")
		default:
			fmt.Printf("  order %d is %s\n", m.Data.ID, m.Data.State)
		}
		if n--; n == 0 {
			return
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
