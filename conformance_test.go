package larder_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/cachetest"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

// The same suite runs on every backend: what holds for one holds for all.

func TestLocal(t *testing.T) { cachetest.RunCache(t, cachetest.Backend{}) }

func TestEmbedded(t *testing.T) {
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	cachetest.RunCache(t, cachetest.Backend{Open: func(*testing.T) conn.Conn { return engine.Connect() }})
}

func TestEmbeddedWithoutTracking(t *testing.T) {
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	cachetest.RunCache(t, cachetest.Backend{Open: func(*testing.T) conn.Conn { return &untracked{Conn: engine.Connect()} }})
}

func TestRedisWithoutTracking(t *testing.T) {
	t.Run("forbidden by a rule", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		forbidTracking(t, server)
		withoutTracking(t, strings.Replace(server.URL(), "//", "//plain:word@", 1))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		servers := redistest.SharedCluster(t)
		forbidTracking(t, servers.Masters...)
		withoutTracking(t, strings.Replace(servers.URL(), "//", "//plain:word@", 1))
	})
	t.Run("no RESP3", func(t *testing.T) {
		t.Parallel()
		withoutTracking(t, redistest.Start(t, "--rename-command", "HELLO", "").URL())
	})
}

// forbidTracking makes a user who may do all that a cache needs, and not track.
func forbidTracking(t *testing.T, servers ...*redistest.Server) {
	t.Helper()
	for _, s := range servers {
		if _, err := s.Do("ACL", "SETUSER", "plain", "on", ">word", "~*", "&~inv*", "+@all", "-client|tracking"); err != nil {
			t.Fatal(err)
		}
	}
}

// withoutTracking runs the suite over a backplane.
func withoutTracking(t *testing.T, url string) {
	t.Helper()
	open := opener(url)
	cachetest.RunCache(t, cachetest.Backend{Open: func(t *testing.T) conn.Conn {
		t.Helper()
		c := open(t)
		if c.Capabilities().Tracking {
			t.Fatal("the server tracks")
		}
		return c
	}})
}

func TestRedis(t *testing.T) {
	server := redistest.Shared(t)
	cachetest.RunCache(t, cachetest.Backend{Open: opener(server.URL())})
}

func TestRedisWithoutL1(t *testing.T) {
	server := redistest.Shared(t)
	cachetest.RunCache(t, cachetest.Backend{Open: opener(server.URL()), NoL1: true})
}

func TestCluster(t *testing.T) {
	servers := redistest.SharedCluster(t)
	cachetest.RunCache(t, cachetest.Backend{Open: opener(servers.URL())})
}

func TestSentinel(t *testing.T) {
	sentinel := redistest.StartSentinel(t, redistest.Shared(t))
	cachetest.RunCache(t, cachetest.Backend{
		Open: opener("redis+sentinel://" + sentinel.Addr() + "/" + redistest.MasterName),
	})
}

// opener opens connections that have patience: a loaded machine is not a fault.
func opener(url string) func(*testing.T) conn.Conn {
	return func(t *testing.T) conn.Conn {
		t.Helper()
		c, err := redisconn.Open(context.Background(), url, redisconn.Options{SilenceTimeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}
