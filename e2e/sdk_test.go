package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestClients runs every file of test/ against every engine.
func TestClients(t *testing.T) {
	t.Parallel()
	install(t)
	files, err := filepath.Glob("test/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of tests: %v", err)
	}
	larder := buildLarder(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			env := serve(t, larder, e.redis(t), e.name)
			for _, f := range files {
				t.Run(strings.TrimSuffix(filepath.Base(f), ".test.js"), func(t *testing.T) {
					t.Parallel()
					out := runNode(t, env, "--test-reporter=tap", f)
					if !strings.Contains(out, "\n# fail 0\n") || strings.Contains(out, "\n# pass 0\n") {
						t.Errorf("Node did not fail, but did not pass either:\n%s", out)
					}
				})
			}
		})
	}
}
