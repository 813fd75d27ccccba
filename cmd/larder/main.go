// Command larder is the tool of the Larder cache: "larder help" lists what it
// can do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// command is one subcommand. Each has a file of its own.
type command struct {
	name, summary string
	// hidden keeps it out of the help: the program starts it itself.
	hidden bool
	run    func(ctx context.Context, std stdio, args []string) error
}

// stdio is what a command reads from and writes to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func commands() []command {
	return []command{
		demoCommand,
		demoInstanceCommand,
		serveCommand,
		getCommand,
		explainCommand,
		invalidateCommand,
		strategyCommand,
		topCommand,
		tortureCommand,
		tortureProcessCommand,
		soakCommand,
		versionCommand,
	}
}

// usageError is a mistake on the command line.
type usageError struct {
	// command is the subcommand, empty if that is the mistake.
	command, text string
}

func (e *usageError) Error() string { return e.text }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, stdio{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, std stdio, args []string) int {
	if len(args) == 0 {
		printHelp(std.err)
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(rest) == 0 {
			printHelp(std.out)
			return exitOK
		}
		name, rest = rest[0], []string{"-h"}
	}
	for _, c := range commands() {
		if c.name == name {
			return report(std, c.run(ctx, std, rest))
		}
	}
	return report(std, &usageError{text: fmt.Sprintf("unknown command %q", name)})
}

// report prints err and returns the exit code that belongs to it.
func report(std stdio, err error) int {
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		help := strings.TrimSpace("larder help " + usage.command)
		fmt.Fprintf(std.err, "larder: %v\nTry %q.\n", err, help)
		return exitUsage
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(std.err, "larder: interrupted")
		return exitFailed
	}
	fmt.Fprintf(std.err, "larder: %v\n", err)
	return exitFailed
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, "larder is Redis caching for Go and TypeScript.\n\nUsage: larder <command> [flags]\n\n")
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
		}
	}
	fmt.Fprintf(w, "  %-10s %s\n", "help", "show this, or the flags of a command: larder help <command>")
}

// newFlags makes the flags of a command. usage is the text above them.
func newFlags(std stdio, name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	// The flag package would print a mistake with the whole usage after it.
	fs.SetOutput(io.Discard)
	fs.Usage = func() {
		fmt.Fprintf(std.out, "Usage: larder %s [flags]\n\n%s\n", name, usage)
		fs.SetOutput(std.out)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
	}
	return fs
}

// parseFlags parses args, all of which must be flags.
func parseFlags(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return &usageError{fs.Name(), err.Error()}
	}
	if fs.NArg() > 0 {
		return &usageError{fs.Name(), fmt.Sprintf("unexpected argument %q", fs.Arg(0))}
	}
	return nil
}
