package keyspace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

// engines are what the tests run on.
var engines = map[string]func(t *testing.T) conn.Conn{
	"embedded": func(t *testing.T) conn.Conn {
		c, err := embedded.Open(t.Context())
		return opened(t, c, err)
	},
	"redis": func(t *testing.T) conn.Conn {
		c, err := redisconn.Open(t.Context(), redistest.Start(t).URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
		return opened(t, c, err)
	},
	"cluster": func(t *testing.T) conn.Conn {
		c, err := redisconn.Open(t.Context(), redistest.Cluster(t, 3).URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
		return opened(t, c, err)
	},
}

func opened[C conn.Conn](t *testing.T, c C, err error) conn.Conn {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "embedded" && testing.Short() {
				t.Skip("short tests start no server")
			}
			test(t, open(t))
		})
	}
}

// put stores strings that end in an hour.
func put(t *testing.T, c conn.Conn, keys ...string) {
	t.Helper()
	cmds := make([]conn.Command, len(keys))
	for i, k := range keys {
		cmds[i] = conn.Key("SET", k, "x", "EX", "3600")
	}
	for _, r := range c.Pipeline(t.Context(), cmds...) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// pages reads a list to its end.
func pages(t *testing.T, c conn.Conn, prefix string, withhold func(string) bool) (keys map[string]int, withheld, n int) {
	t.Helper()
	keys = map[string]int{}
	for from := ""; ; n++ {
		p, err := List(t.Context(), c, prefix, from, withhold)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Keys) > MaxPage {
			t.Fatalf("a page of %d keys", len(p.Keys))
		}
		for _, k := range p.Keys {
			keys[k.Name]++
			if k.Type != "string" || !k.Expires || k.TTL <= 0 || k.TTL > time.Hour {
				t.Errorf("%+v", k)
			}
		}
		withheld += p.Withheld
		if p.Next == "" {
			return keys, withheld, n + 1
		}
		if n > 10_000 {
			t.Fatal("the list does not end")
		}
		from = p.Next
	}
}

func TestListFindsAllKeysOfAPrefix(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		var mine, others []string
		for i := range 2500 {
			mine = append(mine, fmt.Sprintf("u*[s]er:%d", i))
			others = append(others, fmt.Sprintf("other:%d", i))
		}
		put(t, c, mine...)
		put(t, c, others...)
		keys, _, n := pages(t, c, "u*[s]er:", nil)
		if len(keys) != len(mine) {
			t.Errorf("%d keys, want %d", len(keys), len(mine))
		}
		if n < len(mine)/MaxPage {
			t.Errorf("only %d pages", n)
		}
		keys, withheld, _ := pages(t, c, "", func(k string) bool { return strings.HasPrefix(k, "other:") })
		if len(keys) != len(mine) || withheld < len(others) {
			t.Errorf("%d keys and %d withheld, want %d and %d", len(keys), withheld, len(mine), len(others))
		}
		if p, err := List(t.Context(), c, "no-such", "", nil); err != nil || len(p.Keys) != 0 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestListBeginsAnewWhereThePlaceMakesNoSense(t *testing.T) {
	c, err := embedded.Open(t.Context())
	opened(t, c, err)
	put(t, c, "a:1")
	for _, from := range []string{"x", "-1.0.", "0.-1.", "99999999999999999999999.0.", "0.0.10.0.0.1%3A7000", "..", "1;FLUSHALL.0."} {
		if p, err := List(t.Context(), c, "a:", from, nil); err != nil || len(p.Keys) != 1 {
			t.Errorf("from %q: %+v, %v", from, p, err)
		}
	}
}

// walked steps until a whole walk is done.
func walked(t *testing.T, s *Census) Estimate {
	t.Helper()
	for range 1000 {
		if err := s.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := s.Estimate(); e.Share == 1 {
			return e
		}
	}
	t.Fatal("the census does not end")
	return Estimate{}
}

func TestCensusCountsNamespacesAndTags(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		const n = 200
		users, err := larder.New(c, larder.Options[int, string]{
			Namespace: "user", TTL: 10 * time.Minute, CacheTimeout: 30 * time.Second,
			Load: func(context.Context, int) (string, error) { return strings.Repeat("v", 1000), nil },
			Tags: func(i int) []string { return []string{"all", fmt.Sprintf("group-%d", i%4)} },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer users.Close()
		keys := make([]int, n)
		for i := range keys {
			keys[i] = i
		}
		if _, err := users.GetMany(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		var plain []string
		for i := range 3 * n {
			plain = append(plain, fmt.Sprintf("plain:%d", i))
		}
		put(t, c, plain...)
		if _, err := c.Do(t.Context(), conn.Key("SET", "eternal", "x")); err != nil {
			t.Fatal(err)
		}

		e := walked(t, NewCensus(c))
		user := e.Spaces["user"]
		if user.Keys != n || e.Spaces["plain"].Keys != 3*n || e.Spaces["eternal"].Keys != 1 {
			t.Errorf("counted %+v", e.Spaces)
		}
		if user.Life < 8*time.Minute || user.Life > 12*time.Minute || user.Age > time.Minute || user.Entries == 0 || user.Samples >= n {
			t.Errorf("user %+v", user)
		}
		if user.Bytes < n*900 || user.Bytes > n*3000 {
			t.Errorf("user takes %.0f bytes by estimate", user.Bytes)
		}
		if e.Timeless < 1 {
			t.Error("the key without expiry was not seen")
		}
		tags := map[string]Tag{}
		for _, tag := range e.Tags {
			tags[tag.Name] = tag
		}
		if all := tags["all"]; !all.Known || all.Keys < n*.99 || all.Keys > n*1.01 {
			t.Errorf("tag all: %+v", all)
		}
		if !tags["group-3"].Known {
			t.Errorf("tags %+v", tags)
		}
		if e.CountsUses || len(e.Hot) > 0 {
			t.Errorf("uses are counted without an LFU policy: %+v", e.Hot)
		}
	})
}

func TestCensusNamesHotKeysUnderLFU(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short tests start no server")
	}
	srv := redistest.Start(t, "--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "0")
	c, err := redisconn.Open(t.Context(), srv.URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
	opened(t, c, err)
	put(t, c, "hot:1", "hot:2", "cold:1")
	for range 100 {
		if _, err := c.Do(t.Context(), conn.Key("GET", "hot:1")); err != nil {
			t.Fatal(err)
		}
	}
	if e := walked(t, NewCensus(c)); !e.CountsUses || len(e.Hot) == 0 || e.Hot[0].Key != "hot:1" {
		t.Errorf("hot %+v", e.Hot)
	}
}

func TestCensusIsBounded(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	opened(t, c, err)
	var keys []string
	for i := range MaxSpaces + 500 {
		keys = append(keys, fmt.Sprintf("space%d:1", i), fmt.Sprintf("~tag:%d", i))
	}
	put(t, c, keys...)
	e := walked(t, NewCensus(c))
	if len(e.Spaces) > MaxSpaces || len(e.Tags) > MaxTags {
		t.Errorf("%d spaces and %d tags", len(e.Spaces), len(e.Tags))
	}
}

func TestCensusSaysWhenRedisIsAway(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	opened(t, c, err)
	s := NewCensus(c)
	_ = c.Close()
	if err := s.Step(t.Context()); !errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
