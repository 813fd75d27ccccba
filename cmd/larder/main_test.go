package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// larder runs a command line.
func larder(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, stdio{strings.NewReader(""), &out, &errs}, args)
	return code, out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"", 2, "", "Usage: larder <command>"},
		{"help", 0, "demo ", ""},
		{"--help", 0, "demo ", ""},
		{"help demo", 0, "-without-invalidation", ""},
		{"demo -h", 0, "-without-invalidation", ""},
		{"help nope", 2, "", `unknown command "nope"`},
		{"nope", 2, "", `unknown command "nope"`},
		{"version", 0, "larder ", ""},
		{"version now", 2, "", `unexpected argument "now"`},
		{"demo --nope", 2, "", "-nope"},
		{"demo --for soon", 2, "", "-for"},
		{"demo --for -1s", 2, "", "For is -1s"},
		{"demo --workers 1000", 2, "", "Workers is 1000"},
		{"demo --postgres mysql://me:hush@host/db", 2, "", "Postgres is not readable"},
		{"demo --listen 80", 2, "", "Listen is 80"},
		{"demo --goroot /no/such/folder", 1, "", "no Go sources"},
		{"demo --redis redis://me:hush@127.0.0.1:1", 1, "", "127.0.0.1:1"},
		{"demo-instance", 1, `"error"`, "configuration"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := larder(t.Context(), strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "hush") {
				t.Error("a password was printed")
			}
		})
	}
}

func TestHelpListsNoHiddenCommand(t *testing.T) {
	t.Parallel()
	_, stdout, _ := larder(t.Context(), "help")
	if strings.Contains(stdout, demoInstanceCommand.name) {
		t.Error(stdout)
	}
}

// smallGOROOT is an installation of a few packages.
func smallGOROOT(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for i := range 20 {
		dir := filepath.Join(root, "src", fmt.Sprintf("p%02d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		source := fmt.Sprintf("// Package p%02d is small.\npackage p%02d\n\nimport _ \"p00\"\n\n// Name%d is one.\nfunc Name%d() {}\n", i, i, i, i)
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDemoPrintsOneObject(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := larder(t.Context(), "demo", "--for", "1m", "--json", "--requests", "300", "--goroot", smallGOROOT(t))
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d\nstderr: %s", code, stderr)
	}
	var figures struct {
		Requests   int  `json:"requests"`
		StaleReads *int `json:"stale_reads"`
	}
	d := json.NewDecoder(strings.NewReader(stdout))
	if err := d.Decode(&figures); err != nil || figures.Requests < 300 || figures.StaleReads == nil || *figures.StaleReads != 0 {
		t.Errorf("%v: %s", err, stdout)
	}
	if err := d.Decode(&figures); err != io.EOF {
		t.Errorf("there is more on standard output: %s", stdout)
	}
}

func TestDemoStaysUpUntilInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan int, 1)
	args := []string{"demo", "--requests", "100", "--workers", "2", "--goroot", smallGOROOT(t)}
	go func() { done <- run(ctx, stdio{strings.NewReader(""), w, io.Discard}, args) }()
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), "Serving http://127.0.0.1:") {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(buf[:n])
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit %d\n%s", code, seen.String())
	}
	for _, want := range []string{"uncached", "no stale answer"} {
		if !strings.Contains(seen.String(), want) {
			t.Errorf("no %q in\n%s", want, seen.String())
		}
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, stdout, stderr := larder(ctx, "demo", "--goroot", smallGOROOT(t))
	if code != 1 || stdout != "" || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
}
