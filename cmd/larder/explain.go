package main

import (
	"context"
	"encoding/json"

	"github.com/larder-go/larder/internal/inspect"
)

var explainCommand = command{
	name:    "explain",
	summary: "tell where an entry lives, and why a Get is served from it or not",
	run:     runExplain,
}

const explainUsage = `  larder explain [flags] namespace:key
  larder explain [flags] --namespace namespace key

Tells what is kept for a key and what a Get would make of it: whether it exists,
its size, age, revision and remaining life, its lease, the barrier of a
WriteThrough, the tombstone of an InvalidateBelow, and the generations of its tags
and its namespace: the process that made one, host/pid, is the last that
invalidated it. Who invalidated a key alone is not recorded. It reads, and changes
nothing. Neither the value nor its validator nor the token of a lease is printed.
Exits with 0 whatever the answer is.
` + redisUsage

func runExplain(ctx context.Context, std stdio, args []string) (err error) {
	const name = "explain"
	var f redisFlags
	fs := newFlags(std, name, explainUsage)
	f.add(fs, "the `namespace` of the key, which is then taken as it is")
	asJSON := fs.Bool("json", false, "print one JSON object; durations in milliseconds")
	others, err := parseMixed(fs, args)
	if err != nil {
		return err
	}
	ns, key, err := oneEntry(name, f.namespace, others)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c, err := connect(ctx, name, f.url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	rep, err := inspect.Explain(ctx, c, ns, key)
	switch {
	case err != nil:
		return err
	case *asJSON:
		return json.NewEncoder(std.out).Encode(rep)
	}
	return rep.WriteText(std.out)
}
