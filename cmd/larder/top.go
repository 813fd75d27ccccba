package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/larder-go/larder/internal/top"
	"github.com/larder-go/larder/telemetry"
)

var topCommand = command{
	name:    "top",
	summary: "watch what all processes on a Redis server do, live",
	run:     runTop,
}

const topUsage = `Shows what the processes that write their figures to a Redis server do: hit
ratios, rates and latencies by namespace, errors, invalidations that wait, and
what the consistency probes have found. On a terminal it repaints until q is
pressed; elsewhere it prints one table and ends. It reads, and changes nothing.
` + redisUsage

const (
	topEvery  = 2 * time.Second
	topWindow = 5
)

func runTop(ctx context.Context, std stdio, args []string) error {
	const name = "top"
	fs := newFlags(std, name, topUsage)
	url := fs.String("redis", "", "the `URL` of the Redis server (default: LARDER_REDIS_URL or REDIS_URL)")
	asJSON := fs.Bool("json", false, "print one JSON object and end; durations in nanoseconds")
	once := fs.Bool("once", false, "print one table and end")
	service := fs.String("service", "", "show the processes of this `service` alone")
	minutes := fs.Int("minutes", topWindow, "the `minutes` that rates and ratios are of, the running one included")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	if *minutes < 1 || *minutes > telemetry.MaxMinutes {
		return &usageError{name, "--minutes must be from 1 to 2880"}
	}
	dialing, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c, err := connect(dialing, name, *url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	reader, err := telemetry.NewReader(c, telemetry.ReaderOptions{Service: *service})
	if err != nil {
		return err
	}
	read := func(ctx context.Context) (*top.Summary, error) {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		now := time.Now()
		f, err := reader.Read(ctx, now.Add(-time.Duration(*minutes-1)*time.Minute), now)
		if err != nil {
			return nil, err
		}
		return top.Summarize(f, now), nil
	}
	paint := func(ctx context.Context, w io.Writer) error {
		s, err := read(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(w).Encode(s)
		}
		return s.WriteText(w)
	}
	if *asJSON || *once || !isTerminal(std.out) {
		return paint(ctx, std.out)
	}
	keys, lines, restore := terminal(std)
	defer restore()
	return top.Screen{Out: std.out, Size: lines, Keys: keys, Every: topEvery}.Run(ctx, paint)
}

// terminal makes a terminal give every key at once, where that is possible; restore
// makes it as it was. Elsewhere a key counts with the next Enter.
func terminal(std stdio) (keys <-chan byte, lines func() int, restore func()) {
	restore = func() {}
	lines = func() int { return 0 }
	if out, ok := std.out.(*os.File); ok {
		lines = func() int {
			_, n, err := term.GetSize(int(out.Fd()))
			if err != nil {
				return 0
			}
			return n
		}
	}
	in, ok := std.in.(*os.File)
	if !ok || !isTerminal(in) {
		return nil, lines, restore
	}
	typed := make(chan byte)
	done := make(chan struct{})
	before, err := term.MakeRaw(int(in.Fd()))
	// The goroutine may sit in Read until the program ends, as nothing interrupts the
	// reading of a terminal; it holds nothing.
	go func() {
		defer close(typed)
		b := make([]byte, 1)
		for {
			if n, err := in.Read(b); n == 0 || err != nil {
				return
			}
			select {
			case typed <- b[0]:
			case <-done:
				return
			}
		}
	}()
	return typed, lines, func() {
		close(done)
		if err == nil {
			_ = term.Restore(int(in.Fd()), before)
		}
	}
}
