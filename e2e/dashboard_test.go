package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

// requireChromium skips the test where there is no browser and nobody asked for it,
// and fails it where somebody did.
func requireChromium(t *testing.T) (path string) {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const hint = "no Chromium on the PATH; on Debian: apt-get install -y chromium"
	if os.Getenv("CI") == "" && os.Getenv("LARDER_REQUIRE_REDIS") == "" {
		t.Skip(hint)
	}
	t.Fatal(hint)
	return ""
}

// TestDashboard opens the dashboard of a demo with a browser, over the engine and
// over Redis.
func TestDashboard(t *testing.T) {
	t.Parallel()
	install(t)
	chromium := requireChromium(t)
	larder := buildLarder(t)
	goroot := smallGOROOT(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			redis := e.redis(t)
			url := demo(t, larder, goroot, redis)
			env := []string{"LARDER_CHROMIUM=" + chromium, "LARDER_DASHBOARD=" + url, "LARDER_TOKEN=" + token, "NO_COLOR=1"}
			if redis != "embedded:" {
				env = append(env, "LARDER_HOSTILE="+hostileKeys(t, redis), "LARDER_AXE=1")
			}
			out := runNode(t, env, "--test-reporter=tap", "test/dashboard.browser.js")
			if !strings.Contains(out, "\n# fail 0\n") || strings.Contains(out, "\n# pass 0\n") {
				t.Errorf("Node did not fail, but did not pass either:\n%s", out)
			}
		})
	}
}

// hostileKeys stores what nobody should execute, and returns the prefix of it.
func hostileKeys(t *testing.T, redis string) (prefix string) {
	t.Helper()
	prefix = "evil:"
	c := openBeside(t, redis, nil)
	for _, key := range []string{
		`<script>document.title="executed"</script>`,
		`"><img src=x onerror="document.title='executed'">`,
		"\x00\x1b[31m\x7f\u202e",
		strings.Repeat("<b>k</b>", 1250),
	} {
		if _, err := c.Do(t.Context(), conn.Key("SET", prefix+key, "x", "EX", "3600")); err != nil {
			t.Fatal(err)
		}
	}
	return prefix
}

var dashboardLine = regexp.MustCompile(`^Dashboard +(http://127\.0\.0\.1:[0-9]+/dashboard/) `)

// demo starts the demo and waits until its dashboard is up. It ends as serve does.
func demo(t *testing.T, larder, goroot, redis string) (url string) {
	t.Helper()
	args := []string{"--requests", "200", "--workers", "2", "--goroot", goroot}
	if redis != "embedded:" {
		args = append(args, "--redis", redis)
	}
	out, logs := child(t, []string{"LARDER_TOKEN=" + token}, larder, "demo", args...)
	var printed strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := dashboardLine.FindStringSubmatch(lines.Text()); m != nil {
			go func() { // what follows must not fill the pipe
				for lines.Scan() {
				}
			}()
			return m[1]
		}
		printed.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("larder demo printed no address of a dashboard:\n%s%s", &printed, logs)
	return ""
}

// smallGOROOT has a few packages, so that the demo is up at once.
func smallGOROOT(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for i := range 20 {
		dir := filepath.Join(root, "src", fmt.Sprintf("p%02d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		source := fmt.Sprintf("// Package p%02d is small.\npackage p%02d\n\nimport _ \"p00\"\n\n// Name%d is one.\nfunc Name%d() {}\n", i, i, i, i)
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
