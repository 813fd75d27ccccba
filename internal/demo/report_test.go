package demo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i+1) * time.Microsecond
	}
	for _, tt := range []struct {
		sorted []time.Duration
		p      int
		want   float64
	}{
		{nil, 50, 0},
		{hundred[:1], 50, 1},
		{hundred[:1], 99, 1},
		{hundred[:3], 50, 2},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{[]time.Duration{1250}, 50, 1.3},
	} {
		if got := percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("p%d of %d: %v, want %v", tt.p, len(tt.sorted), got, tt.want)
		}
	}
}

func TestReportErr(t *testing.T) {
	t.Parallel()
	without := Settings{WithoutInvalidation: true}
	for name, tt := range map[string]struct {
		rep  Report
		says string
	}{
		"good":                     {Report{Checked: 3, LaggingReads: 1}, ""},
		"stale":                    {Report{Checked: 3, StaleReads: 1}, "1 of 3 checked answers were stale"},
		"errors":                   {Report{Errors: 2, ErrorSamples: []string{"boom"}}, "2 requests failed: boom"},
		"stale as expected":        {Report{StaleReads: 1, Settings: without}, ""},
		"not stale as expected":    {Report{Settings: without}, "the check does not work"},
		"lost updates":             {Report{SessionUpdates: 9, LostUpdates: 1}, "1 of 9 updates of sessions were lost"},
		"undead sessions":          {Report{UndeadSessions: 1}, "1 sessions were valid after their log-out"},
		"missed changes":           {Report{Changes: 9, MissedChanges: 2}, "the feeds of 9 changes have missed one 2 times"},
		"errors, none invalidated": {Report{StaleReads: 1, Errors: 1, Settings: without}, "1 requests failed"},
	} {
		err := tt.rep.Err()
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", name, err, tt.says)
		}
		if failed := strings.HasPrefix(tt.rep.Verdict(), "FAILED"); failed != (err != nil) {
			t.Errorf("%s: verdict %q", name, tt.rep.Verdict())
		}
	}
}

func TestReportNamesItsFigures(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Report{SQLCache: &SQLCache{}})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"requests", "writes", "db_queries_cached", "db_queries_uncached", "hit_ratio",
		"p50_us_cached", "p50_us_uncached", "p99_us_cached", "p99_us_uncached",
		"sql_cache", "stale_reads", "lagging_reads", "longest_lag_ms", "errors", "settings",
		"logins", "session_updates", "lost_session_updates", "undead_sessions",
		"changes", "missed_changes", "p50_us_change", "p99_us_change",
	} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no %s in %s", name, b)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	rep := Report{
		Requests: 1000, RequestsPlanned: 1000, Writes: 5, DBQueriesUncached: 2000, DBQueriesCached: 100,
		P50Uncached: 200, P50Cached: 0, HitRatio: 0.95, Checked: 40,
		SQLCache: &SQLCache{Statements: 2000, QueriesSaved: 1900, Misses: 100, Invalidations: 5},
	}
	var b bytes.Buffer
	if err := rep.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"uncached", "20.0", "95.0 %", "settings", "1900 of 2000 queries saved; 5 transactions", "no stale answer among 40 checked; 20.0 times fewer database queries"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestWithoutCredentials(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"redis://me:hush@host:6379/2?password=hush": "redis://host:6379/2",
		"rediss://:hush@host":                       "rediss://host",
		"unix:///run/redis.sock?db=1":               "unix:///run/redis.sock",
		"redis://me:hu sh@ho st":                    "redis",
		"hush":                                      "redis",
		"redis:hush":                                "redis",
	} {
		if got := withoutCredentials(raw, "redis"); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
