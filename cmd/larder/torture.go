package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/larder-go/larder/internal/torture"
)

var tortureCommand = command{
	name:    "torture",
	summary: "look for violations of the cache's promises under faults of every kind",
	run:     runTorture,
}

// tortureProcessCommand is one process under torture.
var tortureProcessCommand = command{
	name:   "torture-process",
	hidden: true,
	run: func(_ context.Context, std stdio, args []string) error {
		if err := parseFlags(newFlags(std, "torture-process", "Started by larder torture."), args); err != nil {
			return err
		}
		// The one that tortures ends its processes in order, by closing their input.
		signal.Ignore(os.Interrupt)
		return torture.RunProcess(context.Background(), std.in, std.out)
	},
}

const tortureUsage = `Starts a Redis server and several processes with caches over it, and lets them read,
write and invalidate while their networks fail, the server is restarted, flushed,
filled up and frozen, and they themselves are killed at every step. A checker judges
what they did by the seven promises of the cache, and shows the shortest history of
each violation. Exits with 1 if there is one.

The servers are its own: one, or with --topology a cluster of three masters and three
replicas, or a master, two replicas and three sentinels, on free ports of the loopback
interface. Without redis-server on the PATH it is the embedded engine, in one process.

With --redis it is a server of yours: keys stay under a namespace of their own, which
is removed at the end, and only processes and their networks are made to fail, unless
--destructive is given.
`

func runTorture(ctx context.Context, std stdio, args []string) error {
	var opts torture.Options
	var asJSON bool
	fs := newFlags(std, "torture", tortureUsage)
	fs.DurationVar(&opts.For, "for", torture.DefaultFor, "torture for this `duration`; starting and settling come on top")
	fs.Uint64Var(&opts.Seed, "seed", torture.DefaultSeed, "the `seed` of workload and faults")
	fs.StringVar(&opts.Redis, "redis", "", "the `URL` of a Redis server, or embedded:")
	fs.StringVar(&opts.Topology, "topology", "", "of servers of its own: `single`, cluster or sentinel")
	fs.BoolVar(&opts.Destructive, "destructive", false, "allow FLUSHALL, CLIENT KILL, SCRIPT FLUSH and CONFIG SET maxmemory on the server of --redis, which loses all its data")
	fs.IntVar(&opts.Processes, "processes", torture.DefaultProcesses, "how many processes at a time")
	fs.BoolVar(&asJSON, "json", false, "print one JSON object instead of a table")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	if opts.Redis == "embedded:" {
		opts.Redis, opts.Embedded = "", true
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the own executable: %w", err)
	}
	opts.Child = []string{self, tortureProcessCommand.name}
	p := newProgress(std.err, asJSON)
	opts.Progress = p.step
	rep, err := torturing(ctx, opts)
	p.clear()
	if _, ok := errors.AsType[*torture.OptionError](err); ok {
		return &usageError{"torture", strings.TrimPrefix(err.Error(), "torture: ")}
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(std.out).Encode(rep)
	} else {
		err = rep.WriteTable(std.out)
	}
	return errors.Join(err, rep.Err())
}

func torturing(ctx context.Context, opts torture.Options) (rep *torture.Report, err error) {
	t, err := torture.New(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.Run(ctx)
}
