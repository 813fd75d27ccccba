package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// run builds a demo over a small installation, runs it and closes it.
func run(t *testing.T, opts Options) Report {
	t.Helper()
	opts.GOROOT = writeGOROOT(t, manyPackages(25))
	opts.Child = []string{os.Args[0], childArgument}
	if opts.Requests == 0 {
		opts.Requests = 600
	}
	d, err := New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	rep, err := d.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func checkReport(t *testing.T, rep Report) {
	t.Helper()
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	if rep.Requests != rep.RequestsPlanned || rep.Requests <= 600 || rep.Writes != 3 {
		t.Errorf("%d of %d requests, %d writes", rep.Requests, rep.RequestsPlanned, rep.Writes)
	}
	// One that was overtaken by an invalidation tries again, and is a miss first.
	if got := int(rep.L1Hits + rep.L2Hits + rep.Misses); got < rep.Requests {
		t.Errorf("%d hits and misses of %d requests", got, rep.Requests)
	}
	if rep.DBQueriesCached == 0 || rep.DBQueriesCached >= rep.DBQueriesUncached {
		t.Errorf("%d queries cached, %d uncached", rep.DBQueriesCached, rep.DBQueriesUncached)
	}
	if rep.P50Cached <= 0 || rep.P50Cached > rep.P99Cached || rep.P50Uncached > rep.P99Uncached {
		t.Errorf("p50 %v and %v, p99 %v and %v", rep.P50Cached, rep.P50Uncached, rep.P99Cached, rep.P99Uncached)
	}
	// The writer reads back 8 answers of each of 3 writes, in both phases.
	if rep.Logins != 2*rounds || rep.SessionUpdates != 2*3*(8+1) || rep.LostUpdates != 0 || rep.UndeadSessions != 0 {
		t.Errorf("%d log-ins, %d updates, %d lost, %d undead", rep.Logins, rep.SessionUpdates, rep.LostUpdates, rep.UndeadSessions)
	}
	if rep.Changes != 2*rep.Writes || rep.MissedChanges != 0 || rep.P50Change <= 0 || rep.P50Change > rep.P99Change {
		t.Errorf("%d changes, %d missed, p50 %v, p99 %v", rep.Changes, rep.MissedChanges, rep.P50Change, rep.P99Change)
	}
	// A machine that stands still for CacheTimeout costs a call or two; a cache that
	// does not work fails at each.
	if rep.Checked == 0 || rep.CacheErrors > uint64(rep.Requests)/20 {
		t.Errorf("%d answers checked, %d errors of the cache", rep.Checked, rep.CacheErrors)
	}
}

func TestRunEmbedded(t *testing.T) {
	t.Parallel()
	rep := run(t, Options{})
	checkReport(t, rep)
	if rep.Settings.Redis != "embedded" {
		t.Errorf("settings %+v", rep.Settings)
	}
}

func TestRunRedis(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	rep := run(t, Options{Redis: url})
	checkReport(t, rep)
	if !strings.HasPrefix(rep.Settings.Redis, "redis://127.0.0.1:") || rep.Settings.Instances != "2 processes" {
		t.Errorf("settings %+v", rep.Settings)
	}
}

func TestRunWithoutInvalidationFindsStaleAnswers(t *testing.T) {
	t.Parallel()
	rep := run(t, Options{WithoutInvalidation: true})
	if err := rep.Err(); err != nil || rep.StaleReads == 0 {
		t.Errorf("%d stale answers, %v", rep.StaleReads, err)
	}
}

func TestRunEndsWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	rep := run(t, Options{For: 1, Requests: 1000})
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
	if rep.Requests < 100 || rep.Requests > 150 || rep.RequestsPlanned < 1000 {
		t.Errorf("%d of %d requests, want one round of ten", rep.Requests, rep.RequestsPlanned)
	}
	if !strings.Contains(rep.cutShort(), "was up after") {
		t.Errorf("the table says %q", rep.cutShort())
	}
}

func TestRunIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	d, err := New(ctx, Options{
		GOROOT: writeGOROOT(t, manyPackages(3)), Requests: 5000,
		Progress: func(stage string, done, total int) {
			if total == 0 || !strings.HasPrefix(stage, "requests") {
				return
			}
			if done == 100 {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, tt := range map[string]struct {
		opts Options
		says string
	}{
		"no GOROOT":          {Options{}, "GOROOT"},
		"too few requests":   {Options{GOROOT: root, Requests: 3}, "Requests is 3"},
		"negative requests":  {Options{GOROOT: root, Requests: -1}, "Requests is -1"},
		"too many workers":   {Options{GOROOT: root, Workers: 1000}, "Workers is 1000"},
		"negative time":      {Options{GOROOT: root, For: -1}, "For is -1ns"},
		"address":            {Options{GOROOT: root, Listen: "8080"}, "Listen is 8080"},
		"Redis and no child": {Options{GOROOT: root, Redis: "redis://127.0.0.1"}, "Child"},
		"no sources":         {Options{GOROOT: root}, "no Go sources"},
		"no server": {
			Options{GOROOT: root, Redis: "redis://me:hush@127.0.0.1:1", Child: []string{os.Args[0]}}, "127.0.0.1:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := New(t.Context(), tt.opts)
			if err == nil {
				t.Fatal("no error", d.Close())
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %q, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestChildThatCannotServe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		argv []string
		says string
	}{
		"no server":  {[]string{os.Args[0], childArgument}, "start a:"},
		"no program": {[]string{"/no/such/program"}, "no such file"},
		"no answer":  {[]string{os.Args[0], "-test.run=^$"}, "start a:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inst, err := startChild(t.Context(), tt.argv, instanceConfig{Name: "a", Redis: "redis://me:hush@127.0.0.1:1"})
			if err == nil {
				t.Fatal("no error", inst.stop())
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %q", err)
			}
		})
	}
}

func TestInstanceRefusesBadConfiguration(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", "{}", "nonsense\n", "{\"redis\":\"\"}\n"} {
		var out bytes.Buffer
		err := RunInstance(t.Context(), strings.NewReader(input), &out)
		var ready childReady
		if jerr := json.Unmarshal(out.Bytes(), &ready); jerr != nil || err == nil || ready.Error != err.Error() {
			t.Errorf("%q: got %v, and told the parent %q", input, err, out.String())
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var b tail
	for range tailSize {
		_, _ = io.WriteString(&b, "abc")
	}
	_, _ = io.WriteString(&b, "end")
	if len(b.b) != tailSize || !bytes.HasSuffix(b.b, []byte("abcend")) {
		t.Errorf("%d bytes that end in %q", len(b.b), b.b[len(b.b)-6:])
	}
}
