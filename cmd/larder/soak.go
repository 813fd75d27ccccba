package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/soak"
)

const soakName = "soak"

var soakCommand = command{
	name:    soakName,
	summary: "put everything under load for a while, and tell whether anything leaks",
	run:     runSoak,
}

const soakUsage = `Runs caches, limiters, sessions, events, the gateway and cached queries at a fixed
rate, opens and closes each of them over and over, cuts connections where the
server is empty, and looks every few seconds at what this process and the server
hold: live heap, resident memory, goroutines, file descriptors, keys, keys without
an expiry, the server's memory and connections. Exits with 1 where one of them grows
after the warm-up by more than scheduling and garbage explain.

Use a server of its own. On one that holds other keys, only those of the run are
looked at, no connection is cut, and all that is left of it expires.
`

func runSoak(ctx context.Context, std stdio, args []string) error {
	var o soak.Options
	fs := newFlags(std, soakName, soakUsage)
	fs.DurationVar(&o.For, "for", soak.DefaultFor, "how long the load lasts, such as 3m; longer finds slower leaks")
	fs.StringVar(&o.Redis, "redis", "", "the `URL` of a Redis server; default: the embedded engine")
	fs.StringVar(&o.Postgres, "postgres", "", "the `URL` of a PostgreSQL database, in which a schema is made and dropped; default: SQLite")
	fs.IntVar(&o.Rate, "rate", soak.DefaultRate, "how many `operations` each workload begins in a second")
	fs.DurationVar(&o.Every, "every", 0, "the time between two samples (default a sixtieth of --for, at most 10s)")
	fs.Uint64Var(&o.Seed, "seed", 1, "the `seed` of keys and operations")
	fs.StringVar(&o.Leak, "leak", "", "leak these `kinds` on purpose, to see that it is found: "+strings.Join(soak.Leaks, ", ")+"; separated by commas")
	asJSON := fs.Bool("json", false, "print one JSON object, with all samples")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	p := newProgress(std.err, *asJSON)
	o.Progress = func(passed, total time.Duration, s soak.Sample) {
		stage := fmt.Sprintf("%v of load", total)
		if p.terminal {
			stage = fmt.Sprintf("%v of %v: %v", passed.Round(time.Second), total, s)
		}
		p.step(stage, int(s.Operations), 0)
	}
	rep, err := soak.Run(ctx, o)
	p.clear()
	if _, ok := errors.AsType[*soak.OptionError](err); ok {
		return &usageError{soakName, strings.TrimPrefix(err.Error(), "soak: ")}
	}
	if err != nil {
		return err
	}
	if *asJSON {
		err = json.NewEncoder(std.out).Encode(rep)
	} else {
		err = rep.WriteText(std.out)
	}
	return errors.Join(err, rep.Err())
}
