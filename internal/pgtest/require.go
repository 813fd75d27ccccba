package pgtest

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// oldest is the major version that the tests need.
const oldest = 15

// requirePrograms returns the directory of initdb and pg_ctl: the newest where Debian
// and its relatives put them, or else what the PATH says.
func requirePrograms(tb testing.TB) string {
	tb.Helper()
	newest, dir := oldest-1, ""
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, dir = version, bin
		}
	}
	if dir == "" {
		if path, err := exec.LookPath("initdb"); err == nil {
			dir = filepath.Dir(path)
		}
	}
	redistest.Require(tb, dir != "", "PostgreSQL is not installed; on Debian and Ubuntu: apt-get install -y postgresql")
	return dir
}
