package soak

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// Leaks are the kinds of Options.Leak.
var Leaks = []string{"memory", "goroutines", "files", "keys", "immortal"}

// How much is leaked with each sample: over a run several times the tolerance,
// whatever the machine does meanwhile.
const (
	leakBytes      = 2 << 20
	leakGoroutines = 10
	leakFiles      = 10
	leakKeys       = 50
)

// leaker leaks on purpose, and gives everything back at the end.
type leaker struct {
	kinds  []string
	conn   conn.Conn
	prefix string

	memory [][]byte
	files  []*os.File
	stop   chan struct{}
	keys   int
}

func newLeaker(kinds []string, c conn.Conn, prefix string) *leaker {
	return &leaker{kinds: kinds, conn: c, prefix: prefix, stop: make(chan struct{})}
}

// leak leaks once more.
func (l *leaker) leak(ctx context.Context) error {
	var all error
	for _, kind := range l.kinds {
		var err error
		switch kind {
		case "memory":
			b := make([]byte, leakBytes)
			for i := range b {
				b[i] = byte(i) // pages that nobody has written to are not resident
			}
			l.memory = append(l.memory, b)
		case "goroutines":
			for range leakGoroutines {
				go func() { <-l.stop }()
			}
		case "files":
			err = l.openFiles()
		case "keys":
			err = l.store(ctx, leakKeys, "EX", "86400")
		case "immortal":
			err = l.store(ctx, 1)
		}
		all = errors.Join(all, err)
	}
	return all
}

func (l *leaker) openFiles() error {
	for range leakFiles {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
	}
	return nil
}

func (l *leaker) store(ctx context.Context, n int, options ...string) error {
	for range n {
		l.keys++
		if _, err := l.conn.Do(ctx, conn.Key("SET", l.key(l.keys), append([]string{strings.Repeat("x", 100)}, options...)...)); err != nil {
			return err
		}
	}
	return nil
}

func (l *leaker) key(n int) string { return l.prefix + ":leak:" + strconv.Itoa(n) }

// end gives everything back.
func (l *leaker) end(ctx context.Context) {
	close(l.stop)
	l.memory = nil
	for _, f := range l.files {
		_ = f.Close()
	}
	for n := 1; n <= l.keys; n++ {
		_, _ = l.conn.Do(ctx, conn.Key("UNLINK", l.key(n)))
	}
}
