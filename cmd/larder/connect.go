package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/redisconn"
)

// answerTimeout bounds what one look at Redis may take.
const answerTimeout = 10 * time.Second

// redisVariables are looked at, in this order, where no URL is given.
var redisVariables = []string{"LARDER_REDIS_URL", "REDIS_URL"}

// redisUsage ends the help of commands that take a Redis.
const redisUsage = `
The server is the one of --redis, LARDER_REDIS_URL or REDIS_URL: redis://,
rediss://, unix://, redis+cluster:// or redis+sentinel://. An embedded engine
belongs to its process; nothing can look into it from outside.
`

// redisFlags are the flags of commands that look at one namespace of a Redis.
type redisFlags struct {
	url, namespace string
}

func (f *redisFlags) add(fs *flag.FlagSet, namespaceUsage string) {
	fs.StringVar(&f.url, "redis", "", "the `URL` of the Redis server (default: LARDER_REDIS_URL or REDIS_URL)")
	fs.StringVar(&f.namespace, "namespace", "", namespaceUsage)
}

// connect opens the Redis that a command is for.
func connect(ctx context.Context, command, url string) (*redisconn.Conn, error) {
	url, from, err := findURL(command, url)
	if err != nil {
		return nil, err
	}
	return open(ctx, command, url, from)
}

// findURL returns the URL to use and the name of what it comes from. The URL
// itself, which may hold a password, is never printed.
func findURL(command, given string) (url, from string, err error) {
	url, from = given, "--redis"
	for _, name := range redisVariables {
		if url == "" {
			url, from = os.Getenv(name), name
		}
	}
	switch {
	case url == "":
		return "", "", &usageError{command, "no Redis URL: give --redis redis://host:6379, or set " + strings.Join(redisVariables, " or ")}
	case strings.HasPrefix(url, "embedded:"):
		return "", "", &usageError{command, from + ": an embedded engine belongs to its process and cannot be looked into; give the URL of a Redis server"}
	}
	return url, from, nil
}

func open(ctx context.Context, command, url, from string) (*redisconn.Conn, error) {
	c, err := redisconn.Open(ctx, url, redisconn.Options{ReadWires: 1, ClientName: "larder-" + command})
	if err != nil && !errors.Is(err, conn.ErrUnavailable) && conn.Code(err) == "" {
		return nil, &usageError{command, from + ": " + strings.TrimPrefix(err.Error(), "redisconn: ")}
	}
	return c, err
}

// parseMixed parses flags that may stand before, between and after other
// arguments, and returns those. After "--" there are no flags.
func parseMixed(fs *flag.FlagSet, args []string) (others []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, &usageError{fs.Name(), err.Error()}
		}
		rest := fs.Args()
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			others, rest = append(others, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		others, args = append(others, rest[0]), rest[1:]
	}
	for _, arg := range others {
		// Not to be repeated in any message: it may hold a password.
		if scheme, _, ok := strings.Cut(arg, "://"); ok && !strings.Contains(scheme, ":") {
			return nil, &usageError{fs.Name(), "unexpected URL; give it with --redis"}
		}
	}
	return others, nil
}

// entryKey finds out which entry is meant: "namespace:key", or the key alone
// where the namespace is given. A key is taken as it is.
func entryKey(command, namespace, arg string) (ns, key string, err error) {
	if namespace != "" {
		ns, key, err = namespace, arg, inspect.CheckNamespace(namespace)
	} else {
		ns, key, err = inspect.Split(arg)
	}
	return ns, key, asUsage(command, err)
}

// oneEntry is entryKey for commands that take exactly one.
func oneEntry(command, namespace string, args []string) (ns, key string, err error) {
	if len(args) != 1 {
		return "", "", &usageError{command, fmt.Sprintf("%d keys given; one is needed: namespace:key, or --namespace namespace key", len(args))}
	}
	return entryKey(command, namespace, args[0])
}

// asUsage makes a mistake in a name one of the command line.
func asUsage(command string, err error) error {
	if inspect.IsName(err) {
		return &usageError{command, err.Error()}
	}
	return err
}
