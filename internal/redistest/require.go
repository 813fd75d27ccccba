package redistest

import (
	"os"
	"os/exec"
	"testing"
)

// requireBinary is Require for redis-server.
func requireBinary(tb testing.TB) {
	tb.Helper()
	_, err := exec.LookPath("redis-server")
	Require(tb, err == nil, "redis-server is not installed; on Debian and Ubuntu: apt-get install -y redis-server")
}

// Require skips the test where a server's program is absent and nobody asked for it,
// and fails it where somebody did: a silent skip would look like success. Short tests
// are always skipped.
func Require(tb testing.TB, found bool, missing string) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("redistest: short tests start no servers")
	}
	if found {
		return
	}
	if os.Getenv("CI") == "" && os.Getenv("LARDER_REQUIRE_REDIS") == "" {
		tb.Skip("redistest: " + missing)
	}
	tb.Fatal("redistest: " + missing)
}
