package redistest

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// shared is what lives as long as the test binary.
var shared struct {
	mu      sync.Mutex // protects the following
	running bool       // inside Run
	server  *Server
	cluster *ClusterServers
}

// Run runs the tests of a package (a *testing.M, or what wraps one), ends what they
// shared and looks for leaked goroutines. It returns the exit code.
func Run(m interface{ Run() int }) int {
	shared.mu.Lock()
	shared.running = true
	shared.mu.Unlock()

	code := m.Run()

	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.running = false
	if shared.server != nil {
		shared.server.end()
	}
	if shared.cluster != nil {
		shared.cluster.end()
	}
	if code == 0 {
		if err := leaked(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Shared returns the one server of this test binary, without password and
// without TLS. Tests use unique keys on it and do not stop it.
// TestMain must call Run.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	mustRun(tb)
	if shared.server == nil {
		shared.server = launch(tb, nil, nil)
	}
	return shared.server
}

// SharedCluster returns the one cluster of this test binary, of three masters.
// TestMain must call Run.
func SharedCluster(tb testing.TB) *ClusterServers {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	mustRun(tb)
	if shared.cluster == nil {
		shared.cluster = form(tb, 3)
	}
	return shared.cluster
}

func mustRun(tb testing.TB) {
	tb.Helper()
	if !shared.running {
		tb.Fatal("redistest: a shared server needs func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }")
	}
}

// leaked waits for goroutines to end. Some of the cluster client's outlast its
// Close: the refresh of its topology sleeps for up to a second, and where a slot
// has moved it keeps a connection for five more. That is longer than goleak waits.
func leaked() (err error) {
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}
