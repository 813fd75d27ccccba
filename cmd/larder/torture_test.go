package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTortureOnTheEngine(t *testing.T) {
	code, stdout, stderr := larder(t.Context(), "torture", "--for", "2s", "--seed", "7", "--redis", "embedded:", "--json")
	var r struct {
		Violations, Operations, Faults int
		Seed                           uint64
		Topology                       string
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	if code != exitOK || r.Violations != 0 || r.Seed != 7 || r.Operations < 50 || r.Faults < 1 {
		t.Errorf("exit %d: %+v\n%s\n%s", code, r, stdout, stderr)
	}
}

func TestTortureMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--for 1s":                             "For is 1s",
		"--processes 1":                        "Processes is 1",
		"--topology ring":                      "Topology is ring",
		"--redis redis://h --topology cluster": "Redis is set",
		"more":                                 "unexpected argument",
	} {
		code, stdout, stderr := larder(t.Context(), append([]string{"torture"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d\n%s\n%s", args, code, stdout, stderr)
		}
	}
}
