package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const patterns = "../examples/patterns/ts"

// TestPatterns compiles the patterns in TypeScript, which checks their types, and
// compares what each prints with the comment at its end.
func TestPatterns(t *testing.T) {
	t.Parallel()
	install(t)
	sources, err := filepath.Glob(patterns + "/*.ts")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no patterns: %v", err)
	}
	dir := compile(t, sources)
	larder := buildLarder(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			env := serve(t, larder, e.redis(t), e.name)
			for _, source := range sources {
				name := strings.TrimSuffix(filepath.Base(source), ".ts")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					want := wantedOutput(t, source)
					if got := runNode(t, env, filepath.Join(dir, name+".js")); got != want {
						t.Errorf("it printed\n%swhere its comment says\n%s", got, want)
					}
				})
			}
		})
	}
}

// compile puts the programs where Node finds the packages: into a folder of this
// one, which Go and git leave alone.
func compile(t *testing.T, sources []string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(".", ".patterns-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, f := range append([]string{patterns + "/tsconfig.json", patterns + "/package.json"}, sources...) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), fileTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "node_modules/typescript/bin/tsc", "--project", dir)
	bounded(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tsc: %v\n%s", err, out)
	}
	return dir
}

// wantedOutput reads the lines of comment below "// Output:".
func wantedOutput(t *testing.T, source string) string {
	t.Helper()
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	_, comment, ok := bytes.Cut(b, []byte("\n// Output:\n"))
	if !ok {
		t.Fatalf("%s: it does not end with a comment that begins with \"// Output:\"", source)
	}
	return strings.ReplaceAll("\n"+string(comment), "\n// ", "\n")[1:]
}
