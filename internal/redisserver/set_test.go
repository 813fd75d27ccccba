package redisserver_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/redisserver"
	"github.com/larder-go/larder/internal/redistest"
)

func must(t *testing.T, s *redisserver.Server, args ...string) string {
	t.Helper()
	got, err := s.Do(args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return got
}

func started(t *testing.T, set *redisserver.Set, err error) *redisserver.Set {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	return set
}

func TestOneServer(t *testing.T) {
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	set, err := redisserver.StartOne(t.Context())
	s := started(t, set, err).Servers[0]
	must(t, s, "SET", "k", "old")
	must(t, s, "SAVE")
	must(t, s, "SET", "k", "new")
	s.Stop()
	s.Stop()
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	if got := must(t, s, "GET", "k"); got != "old" {
		t.Errorf("after a restart with an old snapshot: %q", got)
	}
	s.Stop()
	if err := s.Forget(); err != nil {
		t.Error(err)
	}
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	if got := must(t, s, "GET", "k"); got != "" {
		t.Errorf("after an empty restart: %q", got)
	}
	s.Pause()()
	must(t, s, "PING")
	if _, err := s.Do("NOSUCH"); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("%v", err)
	}
}

func TestCluster(t *testing.T) {
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	set, err := redisserver.StartCluster(t.Context(), 3, 1)
	started(t, set, err)
	if m, r := len(set.Masters()), len(set.Replicas()); m != 3 || r != 3 {
		t.Fatalf("%d masters, %d replicas", m, r)
	}
	from, slot, err := set.Owner("k")
	if err != nil {
		t.Fatal(err)
	}
	must(t, from, "SET", "k", "v")
	to := set.Masters()[0]
	if to == from {
		to = set.Masters()[1]
	}
	if err := set.MoveSlot(slot, from, to); err != nil {
		t.Fatal(err)
	}
	if owner, _, err := set.Owner("k"); owner != to || err != nil {
		t.Errorf("the slot is at %v, %v", owner.Addr(), err)
	}
	if got := must(t, to, "GET", "k"); got != "v" {
		t.Errorf("got %q", got)
	}
	if err := set.AwaitReady(); err != nil {
		t.Error(err)
	}
}

func TestSentinel(t *testing.T) {
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	set, err := redisserver.StartSentinel(t.Context(), 1)
	started(t, set, err)
	if m, r, s := len(set.Masters()), len(set.Replicas()), len(set.Sentinels); m != 1 || r != 1 || s != 3 {
		t.Fatalf("%d masters, %d replicas, %d sentinels", m, r, s)
	}
	must(t, set.Masters()[0], "SET", "k", "v")
}
