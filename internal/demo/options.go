package demo

import (
	"crypto/rand"
	"fmt"
	"net"
	"time"
)

// The defaults of Options.
const (
	DefaultSeed     = 1
	DefaultRequests = 16_000
	DefaultWorkers  = 8
	DefaultListen   = "127.0.0.1:0"
)

// Options say what to run. GOROOT is required.
type Options struct {
	// GOROOT is the Go installation whose sources are read.
	GOROOT string
	// Redis is the URL of a server; empty means the embedded engine.
	Redis string
	// Postgres is the URL of a PostgreSQL database, in which the demo makes the schema
	// larder_demo and drops it at the end. The cache is then package sqlcache, below the
	// application's statements. Empty means SQLite, and caches of whole answers.
	Postgres string
	// Child is the command, with its arguments, that runs [RunInstance] in a
	// process of its own. Required where Redis is set.
	Child []string
	// Listen is where the first instance serves; the other takes a free port of
	// the same host. Empty means DefaultListen (127.0.0.1, a free port).
	Listen string
	// Seed makes the workload; the same seed makes the same one. 0 means
	// DefaultSeed (1).
	Seed uint64
	// Requests is how many requests a phase has, without those that read back
	// what was written. 0 means DefaultRequests (16,000); negative is an error.
	Requests int
	// Workers is how many requests are in flight at most, besides the writer's.
	// 0 means DefaultWorkers (8); 1 to 256.
	Workers int
	// For bounds the workload, without building the database: the rounds that
	// do not fit are left out, the first one always runs. 0 means no bound;
	// negative is an error.
	For time.Duration
	// WithoutInvalidation makes writes skip the invalidation, to show that the
	// check finds stale answers where there are any.
	WithoutInvalidation bool
	// Token is what one logs in to the dashboard with. Empty means a random one.
	Token string
	// Progress hears, from several goroutines, of the steps done so far; total
	// is 0 where it is not known. Nil means that nobody listens.
	Progress func(stage string, done, total int)
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	if o.Requests == 0 {
		o.Requests = DefaultRequests
	}
	if o.Workers == 0 {
		o.Workers = DefaultWorkers
	}
	if o.Token == "" {
		o.Token = rand.Text()
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.GOROOT == "":
		return optionError("GOROOT", o.GOROOT, "the root of a Go installation")
	case o.Requests < rounds || o.Requests > 10_000_000:
		return optionError("Requests", o.Requests, fmt.Sprintf("%d to 10000000, or 0 for %d", rounds, DefaultRequests))
	case o.Workers < 1 || o.Workers > 256:
		return optionError("Workers", o.Workers, fmt.Sprintf("1 to 256, or 0 for %d", DefaultWorkers))
	case o.For < 0:
		return optionError("For", o.For.String(), "positive, or 0 for no bound")
	case o.Redis != "" && len(o.Child) == 0:
		return optionError("Child", "", "a command, where Redis is set")
	}
	if o.Postgres != "" {
		if _, err := postgresConfig(o.Postgres); err != nil {
			return err
		}
	}
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return optionError("Listen", o.Listen, "host:port")
	}
	return nil
}

// OptionError says which field of Options is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("demo: %s is %v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
