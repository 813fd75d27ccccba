package redisconn

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// patience bounds every wait for an event.
const patience = 15 * time.Second

// open opens a handle that is closed when the test ends.
func open(t testing.TB, url string, opts Options) *Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := Open(ctx, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func tracking(t testing.TB, c *Conn) conn.Tracker {
	t.Helper()
	tr, ok := c.Tracker()
	if !ok {
		t.Fatal("the server does not track")
	}
	return tr
}

// next receives from ch, or fails the test when patience ends.
func next[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-ch:
		return v
	case <-timer.C:
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}
