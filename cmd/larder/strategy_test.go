package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/strategy"
)

// declared runs a version of a service that declares a cache, until the test ends or stop
// is called.
func declared(t *testing.T, url, version string, ttl time.Duration) (stop func()) {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{SilenceTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	r, err := strategy.New(c, strategy.Options{Service: "shop", Version: version})
	if err != nil {
		t.Fatal(err)
	}
	stop = func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	subject := observe.Subject{Kind: observe.Cache, Name: "user", Prefixes: []string{"user:"}, TTL: ttl}
	if err := r.Declare(subject, strategy.About{Invalidation: "Users.Save drops it"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return stop
}

func TestStrategy(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func(testing.TB) string{
		"redis":   func(tb testing.TB) string { return redistest.Start(tb).URL() },
		"cluster": func(tb testing.TB) string { return redistest.Cluster(tb, 2).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server(t)
			strategy := func(args ...string) []string { return append([]string{"strategy", "--redis", url}, args...) }
			old := filepath.Join(t.TempDir(), "old.json")
			save := func(text string) {
				t.Helper()
				if err := os.WriteFile(old, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}

			outcome(t, 1, "", "no service has declared anything on this Redis", strategy()...)
			save(outcome(t, 0, `"services": []`, "", strategy("--format", "json")...))
			stop := declared(t, url, "v1", time.Minute)
			outcome(t, 0, "- service added\n- **added** cache `user`\n", "", strategy("--diff", old)...)

			out := outcome(t, 0, "\n| `user` | shop | – | – | 1m |", "", strategy()...)
			if again := outcome(t, 0, "# Caching strategy\n", "", strategy("--format=markdown")...); len(again) != len(out) {
				t.Errorf("two readings differ:\n%s\n%s", out, again)
			}
			text := outcome(t, 0, `"ttl_ms": 60000`, "", strategy("--format", "json")...)
			var doc struct {
				Services []struct {
					Name         string
					Declarations []struct{ Kind, Name, Invalidation string }
				}
				Warnings []struct{ Code string }
			}
			if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Services) != 1 || doc.Services[0].Name != "shop" ||
				doc.Services[0].Declarations[0].Invalidation != "Users.Save drops it" || len(doc.Warnings) != 1 {
				t.Errorf("%v: %s", err, text)
			}

			save(text)
			outcome(t, 0, "# Changes of the caching strategy\n\nNone.\n", "", strategy("--diff", old)...)
			outcome(t, 0, `"changes": []`, "", strategy("--diff", old, "--format", "json")...)
			stop()
			declared(t, url, "v2", time.Hour)
			outcome(t, 0, "- service changed\n  - version: v1 → v2\n- **changed** cache `user`\n  - TTL: 1m → 1h\n", "", strategy("--diff", old)...)
			outcome(t, 0, `"old": "1m"`, "", strategy("--diff", old, "--format", "json")...)
		})
	}
}

func TestStrategyUsage(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"changes":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	outcome(t, 2, "", `--format is "yaml"; it is markdown or json`, "strategy", "--format", "yaml")
	outcome(t, 2, "", "unexpected argument", "strategy", "shop")
	outcome(t, 2, "", "no such file", "strategy", "--diff", broken+"x")
	outcome(t, 2, "", "is not what larder strategy --format json writes", "strategy", "--diff", broken)
	outcome(t, 2, "", "belongs to its process", "strategy", "--redis", "embedded:")
}
