package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSoakMistakes(t *testing.T) {
	t.Parallel()
	outcome(t, exitUsage, "", "For is 1s", "soak", "--for", "1s")
	outcome(t, exitUsage, "", "Leak is money", "soak", "--for", "20s", "--leak", "money")
	outcome(t, exitUsage, "", "Postgres is not readable", "soak", "--postgres", "mysql://me:hush@host/db")
	outcome(t, exitFailed, "", "127.0.0.1:1", "soak", "--redis", "redis://me:hush@127.0.0.1:1")
}

// One line of JSON, and exit code 1 for a leak.
func TestSoakReportsALeak(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := larder(t.Context(), "soak", "--for", "10s", "--rate", "5", "--leak", "immortal", "--json")
	var rep struct {
		Verdicts []struct {
			Figure string `json:"figure"`
			Leak   bool   `json:"leak"`
		} `json:"verdicts"`
	}
	if err := json.Unmarshal([]byte(stdout), &rep); err != nil || code != exitFailed || !strings.Contains(stderr, "keys without expiry grew") {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, stdout, stderr)
	}
	found := false
	for _, v := range rep.Verdicts {
		found = found || v.Figure == "keys without expiry" && v.Leak
	}
	if !found {
		t.Error(stdout)
	}
}
