package redistest_test

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) {
	if redistest.Role() == "echo" {
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Run(m))
}

func TestServerLives(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	expect(t, s, "OK", "SET", "k", "v")
	s.Pause()
	s.Resume()
	expect(t, s, "v", "GET", "k")
	addr := s.Addr()
	s.Restart()
	if s.Addr() != addr {
		t.Fatalf("the address changed from %s to %s", addr, s.Addr())
	}
	expect(t, s, "", "GET", "k")
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

func TestSpawnedProcessHasItsRole(t *testing.T) {
	t.Parallel()
	if redistest.Role() != "" {
		t.Fatalf("the tests run in the role of %s", redistest.Role())
	}
	p := redistest.Spawn(t, "echo")
	if _, err := io.WriteString(p.In, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(p.Out).ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("got %q, %v", line, err)
	}
}

func TestReplicaIsPromotedWithoutWhatItMissed(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	replica := redistest.StartReplica(t, master)
	sentinel := redistest.StartSentinel(t, master)
	sentinel.AwaitReplica(replica)
	expect(t, master, "OK", "SET", "k", "early")
	replica.CatchUp(master)
	replica.CutOff()
	expect(t, master, "OK", "SET", "k", "late")
	expect(t, replica, "early", "GET", "k")
	sentinel.Promote(replica)
	expect(t, replica, "OK", "SET", "another", "v") // it is a master
	expect(t, replica, "early", "GET", "k")
}

func TestAppendOnlyFileLosesItsEnd(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "everysec")
	expect(t, s, "OK", "SET", "k", "early")
	size := s.Appended()
	expect(t, s, "OK", "SET", "k", "late")
	s.Restart()
	expect(t, s, "late", "GET", "k")
	s.StopLosing(size)
	s.Restart()
	expect(t, s, "early", "GET", "k")
}

func TestSlotMoves(t *testing.T) {
	t.Parallel()
	c := redistest.Cluster(t, 3)
	from, _ := c.Owner("k")
	expect(t, from, "OK", "SET", "k", "v")
	to := c.Masters[0]
	if to == from {
		to = c.Masters[1]
	}
	stages := 0
	c.MoveSlot("k", to, func() { stages++ })
	if owner, _ := c.Owner("k"); owner != to || stages != 2 {
		t.Fatalf("the slot is at %s after %d stages, want %s", owner.Addr(), stages, to.Addr())
	}
	expect(t, to, "v", "GET", "k")
}

func expect(t *testing.T, s *redistest.Server, want string, args ...string) {
	t.Helper()
	if got, err := s.Do(args...); err != nil || got != want {
		t.Fatalf("%v = %q, %v; want %q", args, got, err, want)
	}
}
