package cachetest

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

var monitorLine = regexp.MustCompile(`^\d+\.\d{6} \[\d+ [^\]]+\] "`)

func (s *connSuite) monitors(t *testing.T) {
	c := s.handle(t)
	m, ok := c.(conn.Monitorer)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines, ready, done := make(chan string, 10_000), make(chan struct{}, 2), make(chan error, 1)
	go func() {
		done <- m.Monitor(ctx, func() { ready <- struct{}{} }, func(line string) {
			if len(lines) < cap(lines) {
				lines <- line
			}
		})
	}()
	next(t, ready, "the monitor")
	want := func(parts ...string) {
		t.Helper()
		for {
			line := next(t, lines, "a line with "+parts[0])
			if !monitorLine.MatchString(line) {
				t.Errorf("got %q", line)
			}
			found := true
			for _, p := range parts {
				found = found && strings.Contains(line, p)
			}
			if found {
				return
			}
		}
	}
	// In a cluster the keys lie on several nodes.
	for range 10 {
		k := key("watched")
		must(t, c, conn.Key("SET", k, "a \"b\"\x00\n"))
		want(`"SET" "` + k + `" "a \"b\"\x00\n"`)
	}
	long := key("long")
	must(t, c, conn.Key("SET", long, strings.Repeat("v", 1<<20)))
	want(`"SET" "`+long+`" "vvv`, `...`)

	other := s.handle(t)
	k := key("other")
	must(t, other, conn.Key("SET", k, "1"))
	want(k)
	cancel()
	if err := next(t, done, "Monitor to return"); !errors.Is(err, context.Canceled) {
		t.Errorf("Monitor returned %v, want %v", err, context.Canceled)
	}
	if len(ready) > 0 {
		t.Error("ready was called twice")
	}

	closing := s.open(t)
	watching, _ := closing.(conn.Monitorer)
	go func() { done <- watching.Monitor(t.Context(), func() { ready <- struct{}{} }, func(string) {}) }()
	next(t, ready, "the monitor")
	if err := closing.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := next(t, done, "Monitor to return"); !errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("Monitor returned %v after Close", err)
	}
}
