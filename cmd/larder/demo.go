package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/larder-go/larder/internal/demo"
)

var demoCommand = command{
	name:    "demo",
	summary: "watch a cache work in front of a real database, and check every answer",
	run:     runDemo,
}

const demoUsage = `Builds a database of the documentation of Go's standard library, serves it from
two instances of an application, and sends both the same requests first
uncached and then cached, while a writer logs in, changes rows and invalidates.
Every answer is checked: none may be older than an invalidation that had
returned before the request began. So are the writer's session, which both
instances update at once, and the feed of changes that each of them serves.
Exits with 1 if something was wrong, or if a request failed.

With --postgres the cache is package sqlcache, below the application's SQL: it
invalidates by the writes that it sees, and says how many queries it has saved.

Without --for it stays up afterwards and serves until it is interrupted, with a few
visitors and a dashboard, whose address and token it prints. LARDER_TOKEN sets the
token.
`

type demoFlags struct {
	json       bool
	tokenGiven bool
	goroot     string
	opts       demo.Options
}

func runDemo(ctx context.Context, std stdio, args []string) error {
	var f demoFlags
	fs := newFlags(std, "demo", demoUsage)
	fs.DurationVar(&f.opts.For, "for", 0, "end after the workload, and bound it to this `duration`, such as 20s; building the database comes on top")
	fs.BoolVar(&f.json, "json", false, "print one JSON object instead of a table")
	fs.StringVar(&f.opts.Redis, "redis", "", "the `URL` of a Redis server, for two processes; default: the embedded engine, in one process")
	fs.StringVar(&f.opts.Postgres, "postgres", "", "the `URL` of a PostgreSQL database, to cache what its statements bring; the schema larder_demo is made there and dropped at the end; default: SQLite, and caches of whole answers")
	fs.StringVar(&f.opts.Listen, "listen", demo.DefaultListen, "the `address` of the first instance; port 0 means a free one")
	fs.Uint64Var(&f.opts.Seed, "seed", demo.DefaultSeed, "the `seed` of the workload")
	fs.IntVar(&f.opts.Requests, "requests", demo.DefaultRequests, "how many requests are sent, uncached and again cached")
	fs.IntVar(&f.opts.Workers, "workers", demo.DefaultWorkers, "how many requests are in flight at a time")
	fs.BoolVar(&f.opts.WithoutInvalidation, "without-invalidation", false, "let writes skip the invalidation, to see that the check can fail")
	fs.StringVar(&f.goroot, "goroot", "", "the `directory` of the Go installation to read (default what \"go env GOROOT\" says)")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	var err error
	if f.opts.GOROOT, err = findGOROOT(ctx, f.goroot); err != nil {
		return err
	}
	if f.opts.Redis != "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the own executable: %w", err)
		}
		f.opts.Child = []string{self, demoInstanceCommand.name}
	}
	f.opts.Token = os.Getenv(tokenVariable)
	f.tokenGiven = f.opts.Token != ""
	p := newProgress(std.err, f.json)
	f.opts.Progress = p.step
	err = f.run(ctx, std, p)
	p.clear()
	if _, ok := errors.AsType[*demo.OptionError](err); ok {
		return &usageError{"demo", strings.TrimPrefix(err.Error(), "demo: ")}
	}
	return err
}

func (f demoFlags) run(ctx context.Context, std stdio, p *progress) (err error) {
	d, err := demo.New(ctx, f.opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	rep, err := d.Run(ctx)
	if err != nil {
		return err
	}
	p.clear()
	notes := std.out
	if f.json {
		// Standard output holds the object and nothing else.
		notes = std.err
		err = json.NewEncoder(std.out).Encode(rep)
	} else {
		err = rep.WriteTable(std.out)
	}
	if err != nil {
		return err
	}
	if f.opts.For == 0 {
		url, token := d.Dashboard()
		if f.tokenGiven {
			token = "the one of " + tokenVariable
		}
		fmt.Fprintf(notes, "\nDashboard  %s  token: %s\nServing %s, with a few visitors, until interrupted (Ctrl-C).\n",
			url, token, strings.Join(d.URLs(), " and "))
		d.KeepBusy(ctx)
	}
	return rep.Err()
}

// findGOROOT prefers what it is given, then asks the go command, then looks
// where this program was built.
func findGOROOT(ctx context.Context, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output(); err == nil {
		if dir := strings.TrimSpace(string(out)); dir != "" {
			return dir, nil
		}
	}
	if dir := runtime.GOROOT(); dir != "" { //nolint:staticcheck // the last resort, where there is no go command
		return dir, nil
	}
	return "", errors.New("no Go installation found: the demo reads the standard library's sources; install Go or pass --goroot")
}
