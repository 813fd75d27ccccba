package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/inspect"
)

var invalidateCommand = command{
	name:    "invalidate",
	summary: "drop entries: by key, tag, pattern, or a whole namespace",
	run:     runInvalidate,
}

const invalidateUsage = `  larder invalidate [flags] namespace:key ...
  larder invalidate [flags] --namespace namespace key ...
  larder invalidate [flags] --tag tag [--tag tag ...]
  larder invalidate [flags] --namespace namespace
  larder invalidate [flags] --namespace namespace --pattern 'glob'

Does what a cache does when it is told to invalidate; loads that are under way
will not be stored. Keys are removed; a tag or a namespace gets a new generation,
one command however many entries there are. A pattern (*, ?, [a-c], \ before what
stands for itself) applies to the key within the namespace; it walks the whole
keyspace of Redis in small steps.

A namespace and a pattern need --yes, or a y at the terminal: the source then
gets all the loads at once.
` + redisUsage

// invalidation is what the command line of larder invalidate asks for.
type invalidation struct {
	redisFlags
	tags    []string
	pattern string
	keyed   [][2]string // namespace and key
	yes     bool
}

func runInvalidate(ctx context.Context, std stdio, args []string) error {
	const name = "invalidate"
	var v invalidation
	fs := newFlags(std, name, invalidateUsage)
	v.add(fs, "the `namespace` of the keys or the pattern; alone, all of it")
	fs.Func("tag", "a `tag`; may be repeated", func(tag string) error {
		v.tags = append(v.tags, tag)
		return nil
	})
	fs.StringVar(&v.pattern, "pattern", "", "a `glob` that keys of the namespace match")
	fs.BoolVar(&v.yes, "yes", false, "do not ask")
	others, err := parseMixed(fs, args)
	if err != nil {
		return err
	}
	if err := v.check(others); err != nil {
		return err
	}
	url, from, err := findURL(name, v.url)
	if err != nil {
		return err
	}
	if question := v.question(from); question != "" && !v.yes {
		f, ok := std.in.(*os.File)
		if err := confirm(ctx, std, ok && isTerminal(f), question); err != nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c, err := open(bounded, name, url, from)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if v.pattern != "" {
		return v.removeMatches(ctx, std, c) // may well take longer
	}
	return asUsage(name, v.run(bounded, std.out, c))
}

// check makes sure that the arguments ask for one thing.
func (v *invalidation) check(keys []string) error {
	wrong := func(text string) error { return &usageError{"invalidate", text} }
	switch {
	case len(v.tags) > 0 && (len(keys) > 0 || v.namespace != "" || v.pattern != ""):
		return wrong("--tag goes with neither keys, --namespace nor --pattern; give --tag before each tag")
	case v.pattern != "" && len(keys) > 0:
		return wrong("--pattern does not go with keys; put quotes around the glob")
	case v.pattern != "" && v.namespace == "":
		return wrong("--pattern needs --namespace: it applies to the keys within one")
	case len(v.tags) == 0 && len(keys) == 0 && v.namespace == "":
		return wrong("nothing to invalidate: give namespace:key, --tag or --namespace")
	}
	if v.namespace != "" {
		if err := inspect.CheckNamespace(v.namespace); err != nil {
			return asUsage("invalidate", err)
		}
	}
	for _, arg := range keys {
		ns, key, err := entryKey("invalidate", v.namespace, arg)
		if err != nil {
			return err
		}
		v.keyed = append(v.keyed, [2]string{ns, key})
	}
	return nil
}

// question is what to ask before something that cannot be meant lightly.
func (v *invalidation) question(from string) string {
	switch {
	case v.pattern != "":
		return fmt.Sprintf("Remove the entries of namespace %q that match %q, on the Redis of %s?", v.namespace, v.pattern, from)
	case v.namespace != "" && len(v.keyed) == 0:
		return fmt.Sprintf("Invalidate all entries of namespace %q, on the Redis of %s?", v.namespace, from)
	}
	return ""
}

func (v *invalidation) run(ctx context.Context, out io.Writer, c conn.Conn) error {
	switch {
	case len(v.tags) > 0:
		if err := inspect.Tags(ctx, c, v.tags...); err != nil {
			return err
		}
		fmt.Fprintf(out, "invalidated %s: %s\n", count(len(v.tags), "tag", "tags"), strings.Join(quoted(v.tags), ", "))
	case len(v.keyed) > 0:
		return v.removeKeys(ctx, out, c)
	default:
		if err := inspect.Namespace(ctx, c, v.namespace); err != nil {
			return err
		}
		fmt.Fprintf(out, "invalidated namespace %q\n", v.namespace)
	}
	return nil
}

func (v *invalidation) removeKeys(ctx context.Context, out io.Writer, c conn.Conn) error {
	removed := 0
	byNamespace, order := map[string][]string{}, []string(nil)
	for _, k := range v.keyed {
		if byNamespace[k[0]] == nil {
			order = append(order, k[0])
		}
		byNamespace[k[0]] = append(byNamespace[k[0]], k[1])
	}
	for _, ns := range order {
		n, err := inspect.Keys(ctx, c, ns, byNamespace[ns]...)
		if removed += n; err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "invalidated %s, of which %d had an entry\n", count(len(v.keyed), "key", "keys"), removed)
	return nil
}

// progressAfter is how long a walk may take before it says how far it has got.
const progressAfter = 2 * time.Second

func (v *invalidation) removeMatches(ctx context.Context, std stdio, c conn.Conn) error {
	var sofar atomic.Int64
	p := newProgress(std.err, true)
	stop := watch(p, "keys removed", &sofar)
	removed, err := inspect.Pattern(ctx, c, v.namespace, v.pattern, func(n int) { sofar.Store(int64(n)) })
	stop()
	if err != nil {
		fmt.Fprintf(std.err, "larder: the walk did not end; %s removed until then\n", count(removed, "entry", "entries"))
		return err
	}
	fmt.Fprintf(std.out, "removed %s of namespace %q\n", count(removed, "entry", "entries"), v.namespace)
	return nil
}

// watch shows a number that grows, once it has taken progressAfter, until stop
// is called.
func watch(p *progress, stage string, n *atomic.Int64) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		next := time.NewTimer(progressAfter)
		defer next.Stop()
		for {
			select {
			case <-done:
				p.clear()
				return
			case <-next.C:
				p.step(stage, int(n.Load()), 0)
				next.Reset(progressEvery)
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

var errNotConfirmed = errors.New("not confirmed, nothing was done; --yes confirms without a question")

// confirm asks at the terminal; without one it refuses.
func confirm(ctx context.Context, std stdio, terminal bool, question string) error {
	if !terminal {
		return errNotConfirmed
	}
	fmt.Fprintf(std.err, "%s [y/N] ", question)
	answers := make(chan string, 1)
	// A read from a terminal cannot be ended: after an interrupt this goroutine
	// goes with the process.
	go func() {
		line, _ := bufio.NewReader(std.in).ReadString('\n')
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(std.err)
		return ctx.Err()
	case a := <-answers:
		if a != "y" && a != "yes" {
			return errNotConfirmed
		}
		return nil
	}
}

// count is a number and what it counts.
func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}
