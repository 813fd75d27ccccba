package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/analytics"
	"github.com/larder-go/larder/redisconn"
)

// await returns when a key is there.
func await(t *testing.T, c conn.Doer, key string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		v, err := c.Do(t.Context(), conn.Key("EXISTS", key))
		if err != nil {
			t.Error(err)
			return
		}
		if v.Int == 1 {
			return
		}
		<-tick.C
	}
}

// A Node process with @upstash/ratelimit, through larder serve, and this one hammer
// the same identifier: together they are allowed the limit and not one more. The
// cached window checks locally and may let more through: what one process has
// counted since it last heard of the other.
func TestOneLimitForGoAndTypeScript(t *testing.T) {
	t.Parallel()
	install(t)
	const limit, each = 300, 400
	hour := time.Hour * 24 * 1000
	server := redistest.Start(t)
	env := serve(t, buildLarder(t), server.URL(), "redis")
	c, err := redisconn.Open(t.Context(), server.URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for name, a := range map[string]ratelimit.Algorithm{
		"fixedWindow":       ratelimit.FixedWindow(limit, hour),
		"slidingWindow":     ratelimit.SlidingWindow(limit, hour),
		"tokenBucket":       ratelimit.TokenBucket(1, hour, limit),
		"cachedFixedWindow": ratelimit.CachedFixedWindow(limit, hour),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := "hammer:" + name
			l, err := ratelimit.New(c, ratelimit.Options{Algorithm: a, Prefix: prefix, Timeout: time.Minute, Analytics: true})
			if err != nil {
				t.Fatal(err)
			}
			var allowed atomic.Int64
			var busy sync.WaitGroup
			for range 4 {
				busy.Go(func() {
					for i := range each / 4 {
						if i == limit/16 { // a quarter of the limit; the rest side by side
							await(t, c, prefix+":ready")
						}
						d, err := l.Limit(t.Context(), "shared")
						if err != nil {
							t.Error(err)
							return
						}
						if d.Allowed {
							allowed.Add(1)
						}
					}
				})
			}
			out := runNode(t, env, "test/hammer.js", name, prefix, fmt.Sprint(limit), fmt.Sprint(each))
			busy.Wait()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			var node struct{ Allowed int64 }
			if err := json.Unmarshal([]byte(strings.TrimSpace(out)), &node); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			t.Logf("Go was allowed %d, TypeScript %d, of %d", allowed.Load(), node.Allowed, limit)
			sum := allowed.Load() + node.Allowed
			if most := int64(limit); name == "cachedFixedWindow" {
				most *= 2
				if sum < limit || sum > most {
					t.Errorf("%d were allowed, want %d to %d", sum, limit, most)
				}
			} else if sum != most {
				t.Errorf("%d were allowed, want %d", sum, most)
			}

			// Both readers see what both have counted.
			reader, err := analytics.NewReader(c, prefix)
			if err != nil {
				t.Fatal(err)
			}
			usage, err := reader.Usage(t.Context(), 2*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			u := usage["shared"]
			out = runNode(t, env, "test/usage.js", name, prefix, fmt.Sprint(limit))
			t.Logf("the Go reader: %+v; the TypeScript reader: %s", u, strings.TrimSpace(out))
			var theirs struct{ Success, Blocked int64 }
			if err := json.Unmarshal([]byte(strings.TrimSpace(out)), &theirs); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if theirs.Success != sum || theirs.Success+theirs.Blocked != 2*each {
				t.Errorf("the TypeScript reader sees %+v, %d were allowed of %d", theirs, sum, 2*each)
			}
		})
	}
}
