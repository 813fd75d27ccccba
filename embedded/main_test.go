package embedded

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/conn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a client of an engine that the test closes.
func open(t testing.TB, o Options) *Conn {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e.Connect()
}

// do executes a command that must succeed.
func do(t testing.TB, d conn.Doer, args ...string) conn.Value {
	t.Helper()
	v, err := d.Do(context.Background(), conn.Cmd(args[0], args[1:]...))
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return v
}

// refused executes a command that must fail and returns the server's text.
func refused(t testing.TB, d conn.Doer, args ...string) string {
	t.Helper()
	v, err := d.Do(context.Background(), conn.Cmd(args[0], args[1:]...))
	if conn.Code(err) == "" {
		t.Fatalf("%q: got %+v, %v, want an error reply", args, v, err)
	}
	return err.Error()
}

// eval runs a script that must succeed.
func eval(t testing.TB, e conn.Evaler, script string, keys []string, args ...string) conn.Value {
	t.Helper()
	v, err := e.Eval(context.Background(), conn.NewScript(script), keys, args)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}
