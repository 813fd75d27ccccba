package e2e

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/upstash"
)

const (
	token         = "the-token-of-the-end-to-end-tests"
	readOnlyToken = "the-token-that-may-only-read"

	buildTimeout = 5 * time.Minute
	stopTimeout  = 15 * time.Second
)

// engines are what the gateway is put in front of, each for one test.
var engines = []struct {
	name  string
	redis func(t *testing.T) (url string)
}{
	{"embedded", func(*testing.T) string { return "embedded:" }},
	{"redis", func(t *testing.T) string { return redistest.Start(t).URL() }},
}

// notes is what processes write while the test reads it.
type notes struct {
	mu sync.Mutex
	b  strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// buildLarder builds the command into a folder of the test's own.
func buildLarder(t *testing.T) (path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), buildTimeout)
	defer cancel()
	path = filepath.Join(t.TempDir(), "larder")
	args := append([]string{"build", "-buildvcs=false", "-o", path}, buildFlags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/larder")...)
	cmd.Dir = ".." // the other module, with the dependencies it is shipped with
	bounded(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

var urlLine = regexp.MustCompile(`^UPSTASH_REDIS_REST_URL="(http://127\.0\.0\.1:[0-9]+)"\n$`)

// openBeside opens the data of a gateway as a Go process does: Redis itself, or the
// gateway where the engine is inside it.
func openBeside(t *testing.T, redis string, env []string) conn.Conn {
	t.Helper()
	var c conn.Conn
	var err error
	if redis == "embedded:" {
		gateway := strings.TrimPrefix(env[0], "UPSTASH_REDIS_REST_URL=")
		c, err = upstash.Open(t.Context(), gateway, token, upstash.Options{})
	} else {
		c, err = redisconn.Open(t.Context(), redis, redisconn.Options{SilenceTimeout: 10 * time.Second})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within ends a wait that would be a hang.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// child runs the command and returns what it prints. When the test ends the command is
// told to end, and must do so without an error: the race detector's findings are one.
func child(t *testing.T, env []string, larder, command string, args ...string) (out io.Reader, logs *notes) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), larder, append([]string{command}, args...)...) // ended below
	cmd.Env = append(os.Environ(), env...)
	logs = &notes{}
	cmd.Stderr = logs
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		t.Fatalf("larder %s: %v", command, err)
	}
	t.Cleanup(func() {
		defer func() { _ = r.Close() }() // not before: a write to a closed pipe ends the command
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(stopTimeout, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("larder %s: %v\n%s", command, err, logs)
		} else if t.Failed() {
			t.Logf("larder %s printed:\n%s", command, logs)
		}
	})
	return r, logs
}

// serve starts larder serve and returns the environment for its clients.
func serve(t *testing.T, larder, redis, engine string) (env []string) {
	t.Helper()
	out, logs := child(t, []string{"LARDER_TOKEN=" + token, "LARDER_READ_ONLY_TOKEN=" + readOnlyToken},
		larder, "serve", "--listen", "127.0.0.1:0", "--redis", redis)
	line, err := bufio.NewReader(out).ReadString('\n')
	m := urlLine.FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("larder serve printed %q, %v\n%s", line, err, logs)
	}
	return []string{
		"UPSTASH_REDIS_REST_URL=" + m[1],
		"UPSTASH_REDIS_REST_TOKEN=" + token,
		"KV_REST_API_URL=" + m[1],
		"KV_REST_API_TOKEN=" + token,
		"LARDER_READ_ONLY_TOKEN=" + readOnlyToken,
		"LARDER_ENGINE=" + engine,
		"NO_COLOR=1",
	}
}
