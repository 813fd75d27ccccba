package demo

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Report is the outcome of a run. Latencies are those of getting the value in
// the application, without HTTP and JSON.
type Report struct {
	// Requests is how many were sent in each phase; fewer than planned if
	// Options.For cut the run short.
	Requests        int `json:"requests"`
	RequestsPlanned int `json:"requests_planned"`
	// Writes is how many were made in each phase.
	Writes int `json:"writes"`
	// DBQueries are the SELECT statements behind the answers.
	DBQueriesCached   uint64 `json:"db_queries_cached"`
	DBQueriesUncached uint64 `json:"db_queries_uncached"`
	// HitRatio is the share of what was cached, whole answers or results of statements,
	// that L1 or L2 has answered.
	HitRatio float64 `json:"hit_ratio"`
	L1Hits   uint64  `json:"l1_hits"`
	L2Hits   uint64  `json:"l2_hits"`
	Misses   uint64  `json:"misses"`

	// SQLCache is there where package sqlcache was below the application.
	SQLCache *SQLCache `json:"sql_cache,omitempty"`

	P50Cached   float64 `json:"p50_us_cached"`
	P50Uncached float64 `json:"p50_us_uncached"`
	P99Cached   float64 `json:"p99_us_cached"`
	P99Uncached float64 `json:"p99_us_uncached"`

	// Checked are the answers, of both phases, about things that had been
	// written and invalidated before the request began.
	Checked      int     `json:"checked_reads"`
	StaleReads   int     `json:"stale_reads"`
	LaggingReads int     `json:"lagging_reads"`
	LongestLag   float64 `json:"longest_lag_ms"`

	// Logins is how often the writer has logged in, once for each phase of a round.
	Logins int `json:"logins"`
	// SessionUpdates are the views and edits that his sessions had to count, through
	// all instances at once; LostUpdates those that they have not.
	SessionUpdates int `json:"session_updates"`
	LostUpdates    int `json:"lost_session_updates"`
	// UndeadSessions were still valid on an instance after the log-out through
	// another.
	UndeadSessions int `json:"undead_sessions"`

	// Changes are the writes of both phases, of which the feed of each instance has
	// to tell once and in order; MissedChanges is how often one did not.
	Changes       int `json:"changes"`
	MissedChanges int `json:"missed_changes"`
	// P50Change and P99Change are from before a change was published until the feed
	// of an instance had told of it.
	P50Change float64 `json:"p50_us_change"`
	P99Change float64 `json:"p99_us_change"`

	// Errors are failed requests and writes, of both phases.
	Errors       int      `json:"errors"`
	ErrorSamples []string `json:"error_samples,omitempty"`
	// CacheErrors are failures of the cache that its callers did not feel.
	CacheErrors uint64 `json:"cache_errors"`

	Settings Settings `json:"settings"`
}

// SQLCache is what package sqlcache did in the cached phases.
type SQLCache struct {
	// Statements are the SELECTs of the application, of which QueriesSaved did not reach
	// the database, and Misses did because there was no result.
	Statements   uint64 `json:"statements"`
	QueriesSaved uint64 `json:"queries_saved"`
	Misses       uint64 `json:"misses"`
	// Invalidations are the writing transactions, each seen by the wrapper itself.
	Invalidations uint64 `json:"invalidations"`
}

// Settings are what a run depended on.
type Settings struct {
	Database            string  `json:"database"` // URL without credentials, or "SQLite"
	Redis               string  `json:"redis"`    // URL without credentials, or "embedded"
	Instances           string  `json:"instances"`
	Seed                uint64  `json:"seed"`
	Workers             int     `json:"workers"`
	Zipf                float64 `json:"zipf_exponent"`
	TTL                 string  `json:"ttl"`
	StalenessBound      string  `json:"staleness_bound"`
	WithoutInvalidation bool    `json:"without_invalidation"`
	Rows                int     `json:"rows"`
	Packages            int     `json:"packages"`
	GoVersion           string  `json:"go_version"`
	CPUs                int     `json:"cpus"`
}

func (d *Demo) settings() Settings {
	s := Settings{
		Database: "SQLite", Redis: "embedded", Instances: strconv.Itoa(instances) + " in one process",
		Seed: d.opts.Seed, Workers: d.opts.Workers, Zipf: zipfExponent,
		TTL: cacheTTL.String(), StalenessBound: StalenessBound.String(),
		WithoutInvalidation: d.opts.WithoutInvalidation,
		Rows:                d.size.rows, Packages: d.size.packages,
		GoVersion: runtime.Version(), CPUs: runtime.GOMAXPROCS(0),
	}
	if d.opts.Postgres != "" {
		s.Database = withoutCredentials(d.opts.Postgres, "PostgreSQL")
	}
	if d.opts.Redis != "" {
		s.Redis, s.Instances = withoutCredentials(d.opts.Redis, "redis"), strconv.Itoa(instances)+" processes"
	}
	return s
}

// withoutCredentials keeps of a URL what may be printed; what is none is called name.
func withoutCredentials(raw, name string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return name
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Err says what is wrong with the answers, nil if nothing is. Without
// invalidation, it would be wrong not to have found anything.
func (r Report) Err() error {
	switch {
	case r.Errors > 0:
		return fmt.Errorf("demo: %d requests failed: %s", r.Errors, strings.Join(r.ErrorSamples, "; "))
	case r.Settings.WithoutInvalidation && r.StaleReads == 0:
		return errors.New("demo: nothing was invalidated, and yet no stale answer was found: the check does not work")
	case !r.Settings.WithoutInvalidation && r.StaleReads > 0:
		return fmt.Errorf("demo: %d of %d checked answers were stale", r.StaleReads, r.Checked)
	case r.LostUpdates > 0:
		return fmt.Errorf("demo: %d of %d updates of sessions were lost", r.LostUpdates, r.SessionUpdates)
	case r.UndeadSessions > 0:
		return fmt.Errorf("demo: %d sessions were valid after their log-out", r.UndeadSessions)
	case r.MissedChanges > 0:
		return fmt.Errorf("demo: the feeds of %d changes have missed one %d times", r.Changes, r.MissedChanges)
	}
	return nil
}

// Verdict is one line on what the run has shown.
func (r Report) Verdict() string {
	switch err := r.Err(); {
	case err != nil:
		return "FAILED: " + strings.TrimPrefix(err.Error(), "demo: ")
	case r.Settings.WithoutInvalidation:
		return fmt.Sprintf("as expected without invalidation: %d of %d checked answers were stale; the check can fail", r.StaleReads, r.Checked)
	}
	return fmt.Sprintf("no stale answer among %d checked; %s times fewer database queries",
		r.Checked, times(float64(r.DBQueriesUncached), float64(r.DBQueriesCached)))
}

// WriteTable writes the report for people.
func (r Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	row := func(name string, uncached, cached, ratio string) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", name, uncached, cached, ratio)
	}
	micros := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	row("", "uncached", "cached", "ratio")
	row("requests", strconv.Itoa(r.Requests), strconv.Itoa(r.Requests), "")
	row("writes", strconv.Itoa(r.Writes), strconv.Itoa(r.Writes), "")
	row("database queries", strconv.FormatUint(r.DBQueriesUncached, 10), strconv.FormatUint(r.DBQueriesCached, 10),
		times(float64(r.DBQueriesUncached), float64(r.DBQueriesCached)))
	row("p50, µs", micros(r.P50Uncached), micros(r.P50Cached), times(r.P50Uncached, r.P50Cached))
	row("p99, µs", micros(r.P99Uncached), micros(r.P99Cached), times(r.P99Uncached, r.P99Cached))
	if err := t.Flush(); err != nil {
		return fmt.Errorf("demo: print the table: %w", err)
	}
	s := r.Settings
	_, err := fmt.Fprintf(w, `
hit ratio       %.1f %% (%d in the process, %d in Redis, %d misses)
%schecked reads   %d
stale reads     %d
lagging reads   %d, the longest by %.3f ms
sessions        %d log-ins, %d updates from both instances at once, %d lost
change feed     %d changes to %d listeners, %d missed; p50 %.0f µs, p99 %.0f µs
errors          %d (and %d in the cache that no caller felt)

settings        %s, %s, %s; seed %d, %d workers, Zipf %.2f, TTL %s
                %d rows of %d packages; %s, %d CPUs
latency         of getting the value in the application, without HTTP and JSON
%s
%s
`,
		100*r.HitRatio, r.L1Hits, r.L2Hits, r.Misses, r.sqlCache(), r.Checked, r.StaleReads, r.LaggingReads, r.LongestLag,
		r.Logins, r.SessionUpdates, r.LostUpdates, r.Changes, instances, r.MissedChanges, r.P50Change, r.P99Change,
		r.Errors, r.CacheErrors, s.Database, s.Redis, s.Instances, s.Seed, s.Workers, s.Zipf, s.TTL,
		s.Rows, s.Packages, s.GoVersion, s.CPUs, r.cutShort(), r.Verdict())
	if err != nil {
		return fmt.Errorf("demo: print the table: %w", err)
	}
	return nil
}

// sqlCache tells of the cache below the application, if there was one.
func (r Report) sqlCache() string {
	c := r.SQLCache
	if c == nil {
		return ""
	}
	return fmt.Sprintf("SQL cache       %d of %d queries saved; %d transactions were seen to write\n",
		c.QueriesSaved, c.Statements, c.Invalidations)
}

// cutShort tells of requests that did not fit into the time.
func (r Report) cutShort() string {
	if r.Requests >= r.RequestsPlanned {
		return ""
	}
	return fmt.Sprintf("time             was up after %d of %d requests\n", r.Requests, r.RequestsPlanned)
}

func times(a, b float64) string {
	if b == 0 {
		return "-"
	}
	return strconv.FormatFloat(a/b, 'f', 1, 64)
}
