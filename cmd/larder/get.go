package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/larder-go/larder/internal/inspect"
)

var getCommand = command{
	name:    "get",
	summary: "print a value as it is cached, without loading it",
	run:     runGet,
}

const getUsage = `  larder get [flags] namespace:key
  larder get [flags] --namespace namespace key

Prints the bytes of the value that a Get would be served, fresh or stale, as its
codec wrote them: JSON by default; what is compressed or encrypted stays so.
Exits with 1, and says why on standard error, where a Get would load instead or
the cache remembers that there is no such value. It never loads.

Mind that values may be personal data: they end up on the screen, in files and
in logs of the shell. "larder explain" tells about an entry without its value.
` + redisUsage

func runGet(ctx context.Context, std stdio, args []string) error {
	const name = "get"
	var f redisFlags
	fs := newFlags(std, name, getUsage)
	f.add(fs, "the `namespace` of the key, which is then taken as it is")
	pretty := fs.Bool("pretty", false, "indent JSON; print anything else as it is")
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
	payload, ok, rep, err := inspect.Get(ctx, c, ns, key)
	switch {
	case err != nil:
		return err
	case !ok && (rep.State == inspect.Fresh || rep.State == inspect.Stale):
		return errors.New("no value: the cache remembers that the source has none")
	case !ok:
		return errors.New(rep.Verdict)
	case *pretty:
		return printPretty(std, payload)
	}
	_, err = io.WriteString(std.out, payload)
	return err
}

func printPretty(std stdio, payload string) error {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(payload), "", "  "); err != nil {
		fmt.Fprintln(std.err, "larder: not JSON, printed as it is")
		b.Reset()
		b.WriteString(payload)
	} else {
		b.WriteByte('\n')
	}
	_, err := std.out.Write(b.Bytes())
	return err
}
