package torture

import (
	"fmt"
	"time"
)

// Defaults of Options.
const (
	DefaultFor       = 30 * time.Second
	DefaultSeed      = 1
	DefaultProcesses = 3
)

// The values of Options.Topology.
const (
	Single   = "single"
	Cluster  = "cluster"
	Sentinel = "sentinel"
)

// Options say what to torture.
type Options struct {
	// For is how long the faults last; 0 means DefaultFor (30 s), at least 2 s.
	// Starting, and settling at the end, come on top.
	For time.Duration
	// Seed makes the workload and the faults. 0 means DefaultSeed (1).
	Seed uint64
	// Redis is the URL of somebody's server. Empty means servers of its own, or the
	// embedded engine where there is no redis-server.
	Redis string
	// Topology is that of servers of its own: Single, Cluster or Sentinel. Empty means
	// Single.
	Topology string
	// Embedded means the embedded engine, in one process.
	Embedded bool
	// Destructive allows FLUSHALL, CLIENT KILL and CONFIG SET on the server at Redis.
	// On servers of its own they are always allowed.
	Destructive bool
	// Processes is how many there are at a time; 0 means DefaultProcesses (3); 2 to 16.
	Processes int
	// Child is the command, with its arguments, that runs [RunProcess] in a process of
	// its own. Nil means in this process, where nothing can be killed.
	Child []string
	// Progress hears of what is done so far. Nil means that nobody listens.
	Progress func(stage string, done, total int)
}

// OptionError says which option is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("torture: %s is %v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func (o Options) withDefaults() (Options, error) {
	if o.For == 0 {
		o.For = DefaultFor
	}
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	if o.Processes == 0 {
		o.Processes = DefaultProcesses
	}
	if o.Topology == "" {
		o.Topology = Single
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	switch {
	case o.For < 2*time.Second || o.For > 24*time.Hour:
		return o, &OptionError{"For", o.For, "2s to 24h"}
	case o.Processes < 2 || o.Processes > 16:
		return o, &OptionError{"Processes", o.Processes, "2 to 16"}
	case o.Topology != Single && o.Topology != Cluster && o.Topology != Sentinel:
		return o, &OptionError{"Topology", o.Topology, "single, cluster or sentinel"}
	case o.Redis != "" && (o.Topology != Single || o.Embedded):
		return o, &OptionError{"Redis", "set", "empty where the topology, or the embedded engine, is chosen: those are servers of its own"}
	case o.Embedded && o.Topology != Single:
		return o, &OptionError{"Topology", o.Topology, "single, for the embedded engine"}
	}
	return o, nil
}
