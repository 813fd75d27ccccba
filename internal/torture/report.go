package torture

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a run.
type Report struct {
	Seed       uint64         `json:"seed"`
	Seconds    float64        `json:"seconds"` // of torture, without starting and settling
	Server     string         `json:"server"`
	Topology   string         `json:"topology"`
	Processes  int            `json:"processes"`
	Mutation   string         `json:"mutation,omitempty"` // what was taken out of the protocol
	Violations int            `json:"violations"`
	ByPromise  map[string]int `json:"violations_by_promise"`
	// Findings are those with the shortest histories.
	Findings []Finding `json:"findings"`

	Operations  int            `json:"operations"`
	ByOperation map[string]int `json:"operations_by_kind"`
	PerSecond   float64        `json:"operations_per_second"`
	// Pending are invalidations that could not be delivered at first, Failed are calls
	// that failed as the source did.
	Pending int `json:"pending"`
	Failed  int `json:"failed"`
	Loads   int `json:"loads"`
	// Checked are the values read after an invalidation of their key had returned.
	Checked int `json:"checked"`

	Faults  int            `json:"faults"`
	ByFault map[string]int `json:"faults_by_kind"`
	// Touched is what the network's faults have befallen: frames, chunks, connections.
	Touched map[string]int `json:"network_events"`
	Killed  int            `json:"processes_killed"`

	// Staleness is of the values that were older than an invalidation of another
	// process: how long ago it had returned, in ms.
	Staleness Staleness `json:"staleness"`
	// Recovery is the longest time in ms from the end of a fault until a process had
	// got a value from Redis or brought it one, and RecoveryAfter the fault.
	Recovery      float64 `json:"longest_recovery_ms"`
	RecoveryAfter string  `json:"longest_recovery_after"`
	// Slowest is the longest call of each kind in ms, less what the process stalled.
	Slowest map[string]float64 `json:"slowest_ms"`
	// Stalled is for how long the processes were not run, together, in ms.
	Stalled    float64  `json:"stalled_ms"`
	Goroutines int      `json:"most_goroutines"`
	HeapBytes  uint64   `json:"most_heap_bytes"`
	Notes      []string `json:"notes,omitempty"`
}

// Staleness is a distribution in ms.
type Staleness struct {
	Values int     `json:"values"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// ViolationError says that promises were broken.
type ViolationError struct{ Violations int }

func (e *ViolationError) Error() string {
	return fmt.Sprintf("torture: %d violations", e.Violations)
}

// Err is a *ViolationError if there were any.
func (r *Report) Err() error {
	if r.Violations == 0 {
		return nil
	}
	return &ViolationError{r.Violations}
}

// fill takes the figures of a checker.
func (r *Report) fill(c *checker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.ByPromise, r.ByOperation, r.Slowest, r.Findings = map[string]int{}, map[string]int{}, map[string]float64{}, []Finding{}
	for i := 1; i <= 7; i++ {
		promise := fmt.Sprint("P", i)
		r.ByPromise[promise] = c.found.count[promise]
		r.Violations += c.found.count[promise]
		r.Findings = append(r.Findings, c.found.kept[promise]...)
	}
	for k, n := range c.tally.ops {
		r.ByOperation[Kind(k).String()] = n
		r.Operations += n
	}
	for k, d := range c.tally.slow {
		r.Slowest[k.String()] = ms(d)
	}
	r.PerSecond = float64(int(float64(r.Operations) / r.Seconds))
	r.Pending, r.Failed = c.tally.outcomes[Pending], c.tally.outcomes[Failed]
	r.Loads, r.Checked = c.tally.loads, c.tally.judged
	r.Recovery, r.RecoveryAfter = ms(c.found.recovery), c.found.slowest
	r.Staleness = distribution(c.tally.lags)
	for _, list := range c.stalls {
		for _, s := range list {
			r.Stalled += ms(time.Duration(s.End - s.Begin))
		}
	}
	for _, s := range c.samples {
		r.Goroutines, r.HeapBytes = max(r.Goroutines, s.goroutines), max(r.HeapBytes, s.heap)
	}
}

func ms(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

func distribution(ds []time.Duration) Staleness {
	if len(ds) == 0 {
		return Staleness{}
	}
	slices.Sort(ds)
	at := func(q float64) float64 { return ms(ds[int(q*float64(len(ds)-1))]) }
	return Staleness{Values: len(ds), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// WriteTable prints the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("torture", "%s (%s), %d processes, seed %d, %.0f s", r.Server, r.Topology, r.Processes, r.Seed, r.Seconds)
	if r.Mutation != "" {
		row("MUTATION", "%s is taken out of the protocol: violations are wanted", r.Mutation)
	}
	row("violations", "%d %s", r.Violations, nonZero(r.ByPromise))
	row("operations", "%d (%.0f a second), %d loads; %d values checked", r.Operations, r.PerSecond, r.Loads, r.Checked)
	row("pending", "%d invalidations could not be delivered at once", r.Pending)
	row("faults", "%d, %d processes killed; %d frames and connections befallen", r.Faults, r.Killed, sum(r.Touched))
	row("staleness", "%d values of other processes were behind: p50 %.1f ms, p99 %.1f ms, at most %.1f ms",
		r.Staleness.Values, r.Staleness.P50, r.Staleness.P99, r.Staleness.Max)
	row("recovery", "at most %.0f ms after a fault (%s)", r.Recovery, r.RecoveryAfter)
	row("bounded", "%d goroutines, %d KiB of heap at most; stalls of %.0f ms", r.Goroutines, r.HeapBytes>>10, r.Stalled)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range sortedKeys(r.ByFault) {
		fmt.Fprintf(w, "  %4d × %s\n", r.ByFault[f], f)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "\n%s VIOLATED %s: %s\n", f.Promise, f.Key, f.What)
		for _, line := range f.History {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if r.Violations > 0 {
		fmt.Fprintf(w, "\nRun it again with --seed %d. The faults are the same; time is not.\n", r.Seed)
	}
	return nil
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

// nonZero lists what is not zero.
func nonZero(m map[string]int) string {
	var parts []string
	for name, n := range m {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", name, n))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	sort.Strings(parts)
	return "(" + strings.Join(parts, ", ") + ")"
}
