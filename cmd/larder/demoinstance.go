package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/larder-go/larder/internal/demo"
)

// demoInstanceCommand is one instance of the demo's application; "larder demo
// --redis" runs two.
var demoInstanceCommand = command{
	name:   "demo-instance",
	hidden: true,
	run: func(_ context.Context, std stdio, args []string) error {
		if err := parseFlags(newFlags(std, "demo-instance", "Started by larder demo."), args); err != nil {
			return err
		}
		// Ctrl-C goes to the whole group of processes; the parent ends its
		// children in order, by closing their standard input.
		signal.Ignore(os.Interrupt)
		return demo.RunInstance(context.Background(), std.in, std.out)
	},
}
