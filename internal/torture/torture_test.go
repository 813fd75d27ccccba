package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redisserver"
	"github.com/larder-go/larder/internal/redistest"
)

// processArg makes the test binary a process under torture.
const processArg = "torture-process"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == processArg {
		if err := RunProcess(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Run(m))
}

// tortured runs with options and returns the report.
func tortured(t *testing.T, o Options) *Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Child = []string{self, processArg}
	x, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := x.Run(t.Context())
	if err := errors.Join(err, x.Close()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	return r
}

// holds wants a run in which something happened and no promise was broken.
func holds(t *testing.T, r *Report) {
	t.Helper()
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Operations < 50 || r.Checked < 10 || r.Faults < 1 || r.Loads < 10 {
		t.Errorf("that was no torture: %d operations, %d checked, %d faults, %d loads", r.Operations, r.Checked, r.Faults, r.Loads)
	}
}

func TestTortureOfTheEngine(t *testing.T) {
	holds(t, tortured(t, Options{For: 2 * time.Second, Seed: 2, Embedded: true}))
}

func TestTortureOfOneServer(t *testing.T) {
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	holds(t, tortured(t, Options{For: 5 * time.Second, Seed: 3}))
}

func TestTortureOfACluster(t *testing.T) {
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	holds(t, tortured(t, Options{For: 4 * time.Second, Seed: 4, Topology: Cluster}))
}

// On somebody's server nothing is destroyed, and nothing left.
func TestTortureOfSomebodysServer(t *testing.T) {
	server := redistest.Shared(t)
	if _, err := server.Do("SET", "somebodys", "value"); err != nil {
		t.Fatal(err)
	}
	r := tortured(t, Options{For: 3 * time.Second, Seed: 5, Redis: server.URL()})
	holds(t, r)
	for fault := range r.ByFault {
		if !strings.HasPrefix(fault, "network") && !strings.HasPrefix(fault, "kill -9") && fault != "process paused" && fault != "clock jumps" {
			t.Errorf("fault %q", fault)
		}
	}
	if keys, err := server.Do("KEYS", "*"); keys != "somebodys" || err != nil {
		t.Errorf("left: %q, %v", keys, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		o     Options
		field string
	}{
		{Options{For: time.Second}, "For"},
		{Options{For: -time.Second}, "For"},
		{Options{Processes: 1}, "Processes"},
		{Options{Processes: 17}, "Processes"},
		{Options{Topology: "ring"}, "Topology"},
		{Options{Redis: "redis://127.0.0.1:1", Topology: Cluster}, "Redis"},
		{Options{Redis: "redis://127.0.0.1:1", Embedded: true}, "Redis"},
		{Options{Embedded: true, Topology: Sentinel}, "Topology"},
	} {
		_, err := New(t.Context(), tt.o)
		var oe *OptionError
		if !errors.As(err, &oe) || oe.Field != tt.field {
			t.Errorf("%+v: %v", tt.o, err)
		}
	}
}
