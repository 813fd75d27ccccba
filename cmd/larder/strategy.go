package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/larder-go/larder/strategy"
)

var strategyCommand = command{
	name:    "strategy",
	summary: "print what the services declare of their caches, or what has changed",
	run:     runStrategy,
}

const strategyUsage = `  larder strategy [flags]
  larder strategy [flags] --diff old.json

Prints the caching strategy of all services that publish one (package strategy):
what is cached, for how long and why, who writes it and who invalidates whom, and
what should be seen to. It reads, and changes nothing.

To see what a deployment changes, save the JSON before it and compare after it:

  larder strategy --format json > old.json
  larder strategy --diff old.json

Exits with 0 whatever has changed, and with 1 where no service has declared
anything; as JSON that is a document like any other.
` + redisUsage

// maxOldBytes bounds the file of --diff.
const maxOldBytes = 256 << 20

func runStrategy(ctx context.Context, std stdio, args []string) error {
	const name = "strategy"
	var url, format, old string
	fs := newFlags(std, name, strategyUsage)
	fs.StringVar(&url, "redis", "", "the `URL` of the Redis server (default: LARDER_REDIS_URL or REDIS_URL)")
	fs.StringVar(&format, "format", "markdown", "`markdown` or json, whose durations are in milliseconds")
	fs.StringVar(&old, "diff", "", "a `file` that --format json has written: print what has changed since")
	if err := parseFlags(fs, args); err != nil {
		return err
	}
	if format != "markdown" && format != "json" {
		return &usageError{name, fmt.Sprintf("--format is %q; it is markdown or json", format)}
	}
	var before *strategy.Document
	if old != "" {
		var err error
		if before, err = readDocument(old); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c, err := connect(ctx, name, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	doc, err := strategy.Read(ctx, c)
	if err != nil {
		return err
	}
	if before != nil {
		diff := doc.Diff(before)
		return printAs(std.out, format, diff, diff.Markdown)
	}
	if len(doc.Services) == 0 {
		if format == "json" {
			return printAs(std.out, format, doc, nil)
		}
		return errNothingDeclared
	}
	return printAs(std.out, format, doc, doc.Markdown)
}

var errNothingDeclared = errors.New("no service has declared anything on this Redis. A service does so with strategy.New and Declare, " +
	"within a second of its start; what it declared is kept for a day after it has ended. Is it the right Redis? See docs/strategy.md")

func printAs(w io.Writer, format string, v any, markdown func() string) error {
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	_, err := io.WriteString(w, markdown())
	return err
}

// readDocument reads what --format json has written.
func readDocument(path string) (*strategy.Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &usageError{"strategy", "--diff: " + err.Error()}
	}
	defer f.Close()
	var doc strategy.Document
	if err := json.NewDecoder(io.LimitReader(f, maxOldBytes)).Decode(&doc); err != nil || doc.At.IsZero() {
		return nil, &usageError{"strategy", fmt.Sprintf("--diff: %s is not what larder strategy --format json writes", path)}
	}
	return &doc, nil
}
