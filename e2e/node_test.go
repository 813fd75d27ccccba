package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// oldestNode is the major version of Debian 12.
	oldestNode = 18

	installTimeout = 4 * time.Minute
	// fileTimeout bounds one file of tests. Most take seconds; the browser's takes the
	// longest, some minutes on a busy machine.
	fileTimeout = 6 * time.Minute
)

// requireNode skips the test where Node is absent and nobody asked for it, and
// fails it where somebody did, as redistest does with redis-server.
func requireNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short tests start no server and install no packages")
	}
	hint := ""
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			hint = name + " is not installed; on Debian and Ubuntu: apt-get install -y nodejs npm"
		}
	}
	if hint == "" {
		if version, major := nodeVersion(); major < oldestNode {
			hint = "node is " + version + "; the packages need " + strconv.Itoa(oldestNode) + " or newer"
		}
	}
	if hint == "" {
		return
	}
	if os.Getenv("CI") == "" && os.Getenv("LARDER_REQUIRE_REDIS") == "" {
		t.Skip(hint)
	}
	t.Fatal(hint)
}

// nodeVersion is the version as Node prints it, and its first part.
var nodeVersion = sync.OnceValues(func() (version string, major int) {
	out, err := exec.CommandContext(context.Background(), "node", "--version").Output()
	if err != nil {
		return err.Error(), 0
	}
	version = strings.TrimSpace(string(out))
	first, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	major, _ = strconv.Atoi(first)
	return version, major
})

// installed is the outcome of the one "npm ci" of this process.
var installed = sync.OnceValues(func() (output string, err error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	// A copy of the lock file says what was installed last.
	stamp := filepath.Join("node_modules", ".installed-lock.json")
	if last, err := os.ReadFile(stamp); err == nil && bytes.Equal(last, lock) {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	bounded(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return "", os.WriteFile(stamp, lock, 0o600)
})

func install(t *testing.T) {
	t.Helper()
	requireNode(t)
	if out, err := installed(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// bounded lets the end of a command's context end it even where a process that
// it has started keeps its output open.
func bounded(cmd *exec.Cmd) { cmd.WaitDelay = 5 * time.Second }

// runNode runs one program and returns what it printed on standard output.
func runNode(t *testing.T, env []string, args ...string) string {
	t.Helper()
	return runNodeWith(t, "", env, args...)
}

// runNodeWith is runNode with something on standard input.
func runNodeWith(t *testing.T, input string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), fileTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", args...)
	bounded(cmd)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), env...)
	if _, major := nodeVersion(); major < 20 {
		cmd.Env = append(cmd.Env, "NODE_OPTIONS=--experimental-global-webcrypto")
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %s: %v\n%s%s", strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}
