package patterns

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	// What the programs are made of, so that the result of a test is not taken
	// from the cache when it changes.
	_ "github.com/larder-go/larder/examples/patterns/internal/server"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// patterns returns the names of the folders that hold a program.
func patterns(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	names := make([]string, len(mains))
	for i, path := range mains {
		names[i] = filepath.Dir(path)
	}
	return names
}

// build makes all programs and returns the folder that they are in.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() + string(filepath.Separator)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags=-w", "-o", dir, "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// output runs a program with REDIS_URL set to url, or unset where url is empty.
func output(t *testing.T, program, url string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REDIS_URL=") })
	if url != "" {
		cmd.Env = append(cmd.Env, "REDIS_URL="+url)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", &stderr)
	}
	return stdout.Bytes()
}

// inexact are the programs whose output on a real Redis depends on time.
var inexact = map[string]string{
	"hitrate": "which tier answers depends on when a push arrives",
}

// On the embedded engine and on a real Redis the programs print the same.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("linking ten programs takes a minute where nothing is cached yet")
	}
	names, dir := patterns(t), build(t)
	t.Run("embedded", func(t *testing.T) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) { compare(t, name, output(t, dir+name, ""), *update) })
		}
	})
	t.Run("redis", func(t *testing.T) {
		server := redistest.Start(t)
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				got := output(t, dir+name, server.URL())
				if why, ok := inexact[name]; ok {
					t.Logf("not compared, since %s:\n%s", why, got)
					return
				}
				compare(t, name, got, false)
			})
		}
		allExpire(t, server.URL())
	})
}

func compare(t *testing.T, name string, got []byte, update bool) {
	t.Helper()
	golden := filepath.Join("testdata", name+".txt")
	if update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("it prints\n%swant\n%s(go test ./examples/patterns -update writes the golden files)", got, want)
	}
}

// allExpire checks that the programs leave nothing without an expiry.
func allExpire(t *testing.T, url string) {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	seen := 0
	err = c.Scan(t.Context(), "*", func(keys []string) error {
		for _, key := range keys {
			seen++
			v, err := c.Do(t.Context(), conn.Key("PTTL", key))
			if err != nil {
				return err
			}
			if v.Int == -1 {
				t.Errorf("%q has no expiry", key)
			}
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d keys left, error %v", seen, err)
	}
}

// Each program says what it shows, has a golden file and a line in the README,
// and fits on two screens.
func TestFolders(t *testing.T) {
	const maxLines = 90
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := patterns(t)
	for _, name := range names {
		src, err := os.ReadFile(filepath.Join(name, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(src, []byte("\n")); n > maxLines {
			t.Errorf("%s: %d lines, more than %d", name, n, maxLines)
		}
		if title := "// " + strings.ToUpper(name[:1]) + name[1:] + " "; !bytes.HasPrefix(src, []byte(title)) {
			t.Errorf("%s: the package comment does not begin with %q", name, title)
		}
		if !bytes.Contains(src, []byte("// The habit it replaces:")) {
			t.Errorf("%s: the package comment does not name the habit it replaces", name)
		}
		if !bytes.Contains(readme, []byte("`go run ./examples/patterns/"+name+"`")) {
			t.Errorf("%s: README.md does not name it", name)
		}
	}
	goldens, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range goldens {
		goldens[i] = strings.TrimSuffix(filepath.Base(path), ".txt")
	}
	if !slices.Equal(goldens, names) {
		t.Errorf("golden files are there for %v, programs for %v", goldens, names)
	}
}
