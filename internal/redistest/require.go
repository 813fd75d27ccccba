package redistest

import (
	"os"
	"os/exec"
	"testing"
)

// requireBinary skips the test where redis-server is absent and nobody asked
// for it, and fails it where somebody did: a silent skip would look like success.
// Short tests never start a server.
func requireBinary(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("redistest: short tests run on the embedded engine alone")
	}
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	const hint = "redis-server is not installed; on Debian and Ubuntu: apt-get install -y redis-server"
	if os.Getenv("CI") == "" && os.Getenv("LARDER_REQUIRE_REDIS") == "" {
		tb.Skip("redistest: " + hint)
	}
	tb.Fatal("redistest: " + hint)
}
