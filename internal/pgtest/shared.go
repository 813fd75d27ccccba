package pgtest

import (
	"sync"
	"testing"
)

// shared is what lives as long as the test binary.
var shared struct {
	mu      sync.Mutex // protects the following
	running bool       // inside Main.Run
	server  *Server
}

// Main are the tests of a package that share a server.
type Main struct{ *testing.M }

// Run runs the tests and ends the server that they shared. It returns the exit code.
func (m Main) Run() int {
	shared.mu.Lock()
	shared.running = true
	shared.mu.Unlock()

	code := m.M.Run()

	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.running = false
	if shared.server != nil {
		shared.server.end()
	}
	return code
}

// Database makes an empty database for this test, on the one server of this test
// binary, and returns its URL. TestMain must call Main.Run.
func Database(tb testing.TB) string {
	tb.Helper()
	return sharedServer(tb).Database(tb)
}

func sharedServer(tb testing.TB) *Server {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		tb.Fatal("pgtest: a shared server needs func TestMain(m *testing.M) { os.Exit(pgtest.Main{M: m}.Run()) }")
	}
	if shared.server == nil {
		shared.server = launch(tb, nil)
	}
	return shared.server
}
