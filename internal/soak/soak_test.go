package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
)

// The long form is "make soak"; the short one is light, for it runs beside the tests
// of other packages.
var (
	soakFor  = flag.Duration("soak.for", 3*time.Minute, "how long TestSoak lasts")
	soakRate = flag.Int("soak.rate", 15, "operations of each workload in a second")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := redistest.Run(pgtest.Main{M: m})
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// TestSoak puts everything under load on a real Redis and a real PostgreSQL. No other
// test may run in the process meanwhile.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	r, err := Run(t.Context(), Options{
		For: *soakFor, Rate: *soakRate, Redis: redistest.Start(t).URL(), Postgres: pgtest.Database(t),
		Progress: func(passed, _ time.Duration, s Sample) { t.Log(passed.Round(time.Second), s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if !r.Settings.Cuts || !r.Settings.Alone {
		t.Errorf("connections were not cut: %+v", r.Settings)
	}
	for _, v := range r.Verdicts {
		if !v.Known && (v.Figure != "rss" && v.Figure != "file descriptors" || residentBytes() >= 0) {
			t.Errorf("%s was not judged", v.Figure)
		}
	}
}

// What is leaked on purpose is found, and nothing is left of it afterwards.
func TestLeaksAreFound(t *testing.T) {
	r, err := Run(t.Context(), Options{For: 12 * time.Second, Every: 200 * time.Millisecond, Rate: 10, Leak: strings.Join(Leaks, ",")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"heap": true, "goroutines": true, "file descriptors": openFiles() >= 0, "keys": true, immortal: true}
	for _, v := range r.Verdicts {
		if want[v.Figure] && !v.Leak {
			t.Errorf("%s leaked, and nothing was said: %+v", v.Figure, v)
		}
	}
	if r.Err() == nil {
		t.Error("the run is no failure")
	}
}

// A run that is interrupted gives everything back; goleak sees to that.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Run(ctx, Options{For: time.Hour, Every: 20 * time.Millisecond, Progress: func(time.Duration, time.Duration, Sample) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// On a server that holds something already only the run's own keys count.
func TestServerOfOthers(t *testing.T) {
	s := redistest.Start(t)
	if _, err := s.Do("SET", "somebody's", "value"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first Sample // with keys
	_, err := Run(ctx, Options{For: time.Hour, Every: 100 * time.Millisecond, Redis: s.URL(), Progress: func(_, _ time.Duration, s Sample) {
		if first = s; s.Keys > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || first.Immortal != 0 || first.ServerMemory != -1 || first.ServerClients != -1 {
		t.Errorf("%v: %+v", err, first)
	}
	if got, err := s.Do("GET", "somebody's"); err != nil || got != "value" {
		t.Errorf("%q, %v", got, err)
	}
}
