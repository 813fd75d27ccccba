package redisconn

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// kill ends all connections of ordinary clients.
func kill(t *testing.T, s *redistest.Server) {
	t.Helper()
	if _, err := s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); err != nil {
		t.Fatal(err)
	}
}

// watchEpoch returns a channel that is closed when the epoch of key advances
// because of a lost connection.
func watchEpoch(t *testing.T, c *Conn, key string) <-chan struct{} {
	t.Helper()
	tr := tracking(t, c)
	epoch := tr.Epoch(key)
	before := epoch.Load()
	advanced := make(chan struct{})
	var once sync.Once
	stop := tr.Listen(func(keys []string) {
		if keys == nil && epoch.Load() != before {
			once.Do(func() { close(advanced) })
		}
	})
	t.Cleanup(stop)
	return advanced
}

// eventually calls try until it returns nil. What it waits for happens inside
// the client library, which gives no sign.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

func TestLostConnectionAdvancesTheEpoch(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *redistest.Server){
		"kill":    kill,
		"restart": func(_ *testing.T, s *redistest.Server) { s.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			var log lines
			c := open(t, s.URL(), Options{ReadWires: 4, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			tr := tracking(t, c)
			keys := []string{"a", "b", "c", "d", "e", "f"}
			lost := make([]<-chan struct{}, len(keys))
			for i, k := range keys {
				if _, err := tr.Do(t.Context(), conn.Key("GET", k)); err != nil {
					t.Fatal(err)
				}
				lost[i] = watchEpoch(t, c, k)
			}
			lose(t, s)
			for i, k := range keys {
				next(t, lost[i], "the epoch of "+k)
				eventually(t, func() error {
					_, err := tr.Do(t.Context(), conn.Key("GET", k))
					return err
				})
			}
			pushed := make(chan string, 100)
			stop := tr.Listen(func(keys []string) {
				for _, k := range keys {
					pushed <- k
				}
			})
			defer stop()
			other := open(t, s.URL(), Options{})
			for _, k := range keys {
				if _, err := other.Do(t.Context(), conn.Key("SET", k, "x")); err != nil {
					t.Fatal(err)
				}
				if got := next(t, pushed, "a push over the new connection"); got != k {
					t.Errorf("got a push for %s, want %s", got, k)
				}
			}
			if got := log.String(); !strings.Contains(got, "tracking connection is lost") || !strings.Contains(got, s.Addr()) {
				t.Errorf("the log does not tell: %s", got)
			}
		})
	}
}

// TestNoReplyUnderADeadEpoch cuts connections while readers capture epochs: a
// value that was read under a number must be covered by pushes while it stands.
func TestNoReplyUnderADeadEpoch(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c, writer := open(t, s.URL(), Options{ReadWires: 1}), open(t, s.URL(), Options{})
	tr := tracking(t, c)
	const key = "k"
	epoch := tr.Epoch(key)
	var mu sync.Mutex // protects the following
	var remembered string
	var under uint64
	var pushes int
	defer tr.Listen(func([]string) {
		mu.Lock()
		remembered = ""
		pushes++
		mu.Unlock()
	})()
	for round := range 60 {
		value := strings.Repeat("x", round+1)
		mu.Lock()
		number, seen := epoch.Load(), pushes
		mu.Unlock()
		if v, err := tr.Do(t.Context(), conn.Key("GET", key)); err == nil {
			mu.Lock()
			if epoch.Load() == number && pushes == seen {
				remembered, under = v.Str, number
			}
			mu.Unlock()
		}
		if round%3 == 0 {
			kill(t, s)
		}
		eventually(t, func() error {
			_, err := writer.Do(t.Context(), conn.Key("SET", key, value))
			return err
		})
		// A later reply on the connection, or its loss, makes the old value worthless.
		_, err := tr.Do(t.Context(), conn.Key("GET", key))
		mu.Lock()
		if err == nil && remembered != "" && remembered != value && epoch.Load() == under {
			t.Errorf("round %d: %d bytes are remembered, %d are stored, and the epoch stands", round, len(remembered), len(value))
		}
		mu.Unlock()
	}
}

func TestSubscriptionEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, s.URL(), Options{})
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- c.Subscribe(t.Context(), conn.Subscription{
			Channels: []string{"c"}, Ready: func() { close(ready) },
		}, func(conn.Message) {})
	}()
	next(t, ready, "Ready")
	s.Restart()
	if err := next(t, done, "Subscribe to return"); !errors.Is(err, conn.ErrUnavailable) || errors.Is(err, conn.ErrClosed) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// TestFrozenServer checks that calls and Close do not wait for a silent server.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, s.URL(), Options{})
	if _, err := c.Do(t.Context(), conn.Key("GET", "k")); err != nil {
		t.Fatal(err)
	}
	s.Pause()
	defer s.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for what, do := range map[string]func() error{
		"Do":      func() error { _, err := c.Do(ctx, conn.Key("GET", "k")); return err },
		"Tracker": func() error { _, err := tracking(t, c).Do(ctx, conn.Key("GET", "k")); return err },
		"Subscribe": func() error {
			return c.Subscribe(ctx, conn.Subscription{Channels: []string{"c"}}, func(conn.Message) {})
		},
	} {
		if err := do(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
	flight := make(chan error, 1)
	go func() {
		_, err := c.Do(context.Background(), conn.Key("GET", "k"))
		flight <- err
	}()
	start := time.Now()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("Close took %v", d)
	}
	if err := next(t, flight, "the call in flight"); !errors.Is(err, conn.ErrClosed) {
		t.Errorf("the call in flight got %v, want ErrClosed", err)
	}
}

// lines is a writer for logs.
type lines struct {
	mu sync.Mutex // protects the following
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
