package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/internal/redisserver"
	"github.com/larder-go/larder/internal/redistest"
)

// A checker that cannot fail proves nothing: with a part of the protocol taken out,
// short runs must find violations. Long: it builds the binary anew, and a run takes
// half a minute where it finds nothing at once.
func TestMutations(t *testing.T) {
	if os.Getenv("LARDER_TORTURE") == "" {
		t.Skip("long: run it with make torture")
	}
	redistest.Require(t, redisserver.Available(), "redis-server is not installed")
	binary := filepath.Join(t.TempDir(), "larder")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-tags", "larder_mutation", "-o", binary, "../../cmd/larder")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, mutation := range []string{"fence", "epoch", "capture", "retry"} {
		t.Run(mutation, func(t *testing.T) {
			const seeds = 6
			for seed := 1; seed <= seeds; seed++ {
				r := mutated(t, binary, mutation, seed)
				if r.Mutation != mutation {
					t.Fatalf("the binary was mutated by %q", r.Mutation)
				}
				if n := r.ByPromise["P1"] + r.ByPromise["P5"]; n > 0 {
					t.Logf("seed %d: %d violations in %d operations: %s", seed, r.Violations, r.Operations, r.Findings[0].What)
					return
				}
				t.Logf("seed %d: nothing in %d operations under %d faults", seed, r.Operations, r.Faults)
			}
			t.Errorf("the checker did not find what is missing in %d runs", seeds)
		})
	}
}

func mutated(t *testing.T, binary, mutation string, seed int) (r Report) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "torture", "--json", "--for", "12s", "--seed", fmt.Sprint(seed))
	cmd.Env = append(os.Environ(), "LARDER_MUTATION="+mutation)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output() // fails where it finds something
	if jerr := json.Unmarshal(out, &r); jerr != nil {
		t.Fatalf("%v, %v: %s", jerr, err, stderr.String())
	}
	return r
}
