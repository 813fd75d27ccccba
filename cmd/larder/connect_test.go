package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	root "github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// cached fills a namespace with keys, tagged "<namespace>/all", over the server.
func cached(t *testing.T, url, ns string, keys ...string) *root.Cache[string, string] {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	cache, err := root.New(c, root.Options[string, string]{
		Namespace: ns, TTL: time.Hour, CacheTimeout: 10 * time.Second,
		Tags: func(string) []string { return []string{ns + "/all"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	for _, key := range keys {
		if err := cache.Set(t.Context(), key, "value of "+key); err != nil {
			t.Fatal(err)
		}
	}
	return cache
}

// outcome runs a command line and compares exit code and parts of what it prints.
func outcome(t *testing.T, code int, stdout, stderr string, args ...string) string {
	t.Helper()
	got, out, errs := larderCommand(t, args...)
	if got != code || !strings.Contains(out, stdout) || !strings.Contains(errs, stderr) || stderr == "" && errs != "" || stdout == "" && out != "" {
		t.Errorf("%s: exit %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), got, code, out, errs)
	}
	return out
}

func larderCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	code, stdout, stderr = larder(t.Context(), args...)
	if strings.Contains(stdout+stderr, "hush") {
		t.Errorf("a password was printed:\n%s\n%s", stdout, stderr)
	}
	return code, stdout, stderr
}

func TestRedisURL(t *testing.T) {
	srv := redistest.Shared(t)
	cached(t, srv.URL(), "from-env", "a")
	t.Setenv("LARDER_REDIS_URL", "")
	t.Setenv("REDIS_URL", "")
	for _, name := range []string{"get", "explain", "invalidate"} {
		outcome(t, 2, "", "LARDER_REDIS_URL or REDIS_URL", name, "from-env:a")
		outcome(t, 2, "", "belongs to its process", name, "--redis", "embedded:", "from-env:a")
		outcome(t, 2, "", "give it with --redis", name, "redis://me:hush@127.0.0.1:1", "from-env:a")
		outcome(t, 2, "", "--redis: URL: scheme", name, "--redis", "http://me:hush@127.0.0.1:1", "from-env:a")
		outcome(t, 1, "", "127.0.0.1:1", name, "--redis", "redis://me:hush@127.0.0.1:1", "from-env:a")
		outcome(t, 0, "larder "+name+" [flags]", "", "help", name)
	}
	t.Setenv("REDIS_URL", srv.URL())
	outcome(t, 0, "served fresh", "", "explain", "from-env:a")
	t.Setenv("LARDER_REDIS_URL", "nonsense hush")
	outcome(t, 2, "", "LARDER_REDIS_URL: URL", "explain", "from-env:a")
	outcome(t, 0, "served fresh", "", "explain", "--redis", srv.URL(), "from-env:a")
}

func TestParseMixed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, others, ns string
		json             bool
	}{
		{"a:1 --json", "a:1", "", true},
		{"--json a:1 b:2 --namespace n c", "a:1 b:2 c", "n", true},
		{"--namespace n -- --json -x", "--json -x", "n", false},
		{"a -- b --json", "a b --json", "", false},
		{"", "", "", false},
	} {
		fs := newFlags(stdio{}, "test", "")
		var f redisFlags
		f.add(fs, "")
		asJSON := fs.Bool("json", false, "")
		others, err := parseMixed(fs, strings.Fields(tt.args))
		if err != nil || !slices.Equal(others, strings.Fields(tt.others)) || f.namespace != tt.ns || *asJSON != tt.json {
			t.Errorf("%q: %q, %+v, %v, %v", tt.args, others, f, *asJSON, err)
		}
	}
}
