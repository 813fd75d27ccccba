package redistest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// roleVariable tells a process from Spawn what it is for.
const roleVariable = "REDISTEST_ROLE"

// stopTimeout bounds the end of a process from Spawn.
const stopTimeout = 15 * time.Second

// Role is what this process was spawned for; empty for the one that runs the
// tests. TestMain must ask before it runs them:
//
//	func TestMain(m *testing.M) {
//		if redistest.Role() == "reader" {
//			os.Exit(reader(os.Stdin, os.Stdout))
//		}
//		os.Exit(redistest.Run(m))
//	}
func Role() string { return os.Getenv(roleVariable) }

// Process is this test binary, running once more.
type Process struct {
	In  io.Writer // its standard input
	Out io.Reader // its standard output
}

// Spawn starts this test binary once more for this test, in a role. The process
// must end when its input ends, which happens with the test, however that ends;
// an exit code other than zero fails the test, with what it said on standard
// error.
func Spawn(tb testing.TB, role string) *Process {
	tb.Helper()
	return spawn(tb, role, func(err error) bool { return err == nil })
}

// SpawnMortal is Spawn of a process that may kill itself, or be killed, with SIGKILL.
func SpawnMortal(tb testing.TB, role string) *Process {
	tb.Helper()
	return spawn(tb, role, func(err error) bool {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return err == nil
		}
		status, ok := exit.Sys().(syscall.WaitStatus)
		return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	})
}

func spawn(tb testing.TB, role string, may func(error) bool) *Process {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	cmd := exec.CommandContext(context.Background(), self) // ended by the cleanup
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	// Not StdoutPipe, which Wait closes before all is read.
	out, w, err := os.Pipe()
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		tb.Fatalf("redistest: %s in the role of %s: %v", self, role, err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		kill := time.AfterFunc(stopTimeout, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); !may(err) {
			tb.Errorf("redistest: the process in the role of %s: %v\n%s", role, err, stderr.Bytes())
		}
		_ = out.Close()
	})
	return &Process{In: in, Out: out}
}
