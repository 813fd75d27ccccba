package soak

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func report(t *testing.T, grow float64, work ...Work) Report {
	t.Helper()
	samples := run(120, func(s float64) float64 { return 20<<20 + s*grow })
	verdicts, err := Judge(samples, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return Report{Settings: Settings{For: "2m0s", Redis: "redis 7", Database: "SQLite"}, Samples: samples, Verdicts: verdicts, Work: work}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		report Report
		err    string
		text   []string
	}{
		"clean":             {report(t, 0, Work{Name: "cache", Operations: 10}), "", []string{"nothing leaks", "heap", "20.0 MiB", "not told", "cache 10"}},
		"a leak":            {report(t, 1<<20, Work{Name: "cache", Operations: 10}), "heap grew by", []string{"LEAK", "FAILED: heap grew by", "▁", "█"}},
		"idle":              {report(t, 0, Work{Name: "cache"}), "cache did nothing", []string{"FAILED: cache did nothing"}},
		"failing":           {report(t, 0, Work{Name: "cache", Operations: 100, Errors: 2, Samples: []string{"oops"}}), "2 of 100 operations failed, for example: [oops]", nil},
		"failing at times":  {report(t, 0, Work{Name: "cache", Operations: 1000, Errors: 10}), "", nil},
		"cut at times":      {report(t, 0, Work{Name: "cache", Operations: 100, Errors: 20, Away: 20}), "", nil},
		"away":              {report(t, 0, Work{Name: "cache", Operations: 100, Errors: 40, Away: 40}), "40 of 100 operations failed", nil},
		"failing just once": {report(t, 0, Work{Name: "cache", Operations: 5, Errors: 1}), "", nil},
	} {
		err := tt.report.Err()
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v, want %q", name, err, tt.err)
		}
		var b bytes.Buffer
		if err := tt.report.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.text {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, &b)
			}
		}
		var back Report
		text, err := json.Marshal(tt.report)
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || len(back.Samples) != 120 || len(back.Verdicts) != len(figures) {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]Options{
		"For":      {For: time.Second},
		"Rate":     {Rate: -1},
		"Every":    {For: time.Minute, Every: 10 * time.Second},
		"Leak":     {Leak: "memory,money"},
		"Postgres": {Postgres: "mysql://me:hush@host/db"},
	} {
		_, err := Run(t.Context(), o)
		oe, ok := errors.AsType[*OptionError](err)
		if !ok || oe.Field != field || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, o := range map[string]Options{"For": {For: -1}, "Every": {Every: time.Millisecond}} {
		if oe, ok := errors.AsType[*OptionError](o.withDefaults().validate()); !ok || oe.Field != field {
			t.Errorf("%s: %v", field, oe)
		}
	}
}
