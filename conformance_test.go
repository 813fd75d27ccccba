package larder_test

import (
	"context"
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
