package redistest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

func TestServerLives(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	do := func(want string, args ...string) {
		t.Helper()
		if got, err := s.Do(args...); err != nil || got != want {
			t.Fatalf("%v = %q, %v; want %q", args, got, err, want)
		}
	}
	do("OK", "SET", "k", "v")
	s.Pause()
	s.Resume()
	do("v", "GET", "k")
	addr := s.Addr()
	s.Restart()
	if s.Addr() != addr {
		t.Fatalf("the address changed from %s to %s", addr, s.Addr())
	}
	do("", "GET", "k")
	s.Stop()
	s.Stop()
	if _, err := s.Do("PING"); err == nil {
		t.Fatal("a stopped server answered")
	}
}

func TestPasswordedServerStarts(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "secret")
	if _, err := s.Do("PING"); err == nil || !strings.HasPrefix(err.Error(), "NOAUTH") {
		t.Fatalf("PING without a password: %v", err)
	}
}

func TestTLSServer(t *testing.T) {
	t.Parallel()
	s := redistest.StartTLS(t)
	if got, err := s.Do("PING"); err != nil || got != "PONG" {
		t.Fatalf("PING = %q, %v", got, err)
	}
	if !strings.HasPrefix(s.URL(), "rediss://") || s.TLSConfig() == nil {
		t.Fatalf("URL %s, TLS %v", s.URL(), s.TLSConfig())
	}
}

func TestClusterForms(t *testing.T) {
	t.Parallel()
	c := redistest.SharedCluster(t)
	if c != redistest.SharedCluster(t) || len(c.Masters) != 3 {
		t.Fatalf("shared cluster: %v", c)
	}
	if got, err := c.Masters[0].Do("CLUSTER", "KEYSLOT", "foo"); err != nil || got != "12182" {
		t.Fatalf("CLUSTER KEYSLOT = %q, %v", got, err)
	}
}

func TestSentinelKnowsItsMaster(t *testing.T) {
	t.Parallel()
	master := redistest.Shared(t)
	s := redistest.StartSentinel(t, master)
	got, err := s.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", redistest.MasterName)
	if err != nil || strings.ReplaceAll(got, "\n", ":") != master.Addr() {
		t.Fatalf("master = %q, %v; want %s", got, err, master.Addr())
	}
}
