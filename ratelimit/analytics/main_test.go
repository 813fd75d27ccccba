package analytics

import (
	"os"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, engine(t)) })
	for name, url := range map[string]func(t *testing.T) string{
		"redis":   func(t *testing.T) string { return redistest.Shared(t).URL() },
		"cluster": func(t *testing.T) string { return redistest.SharedCluster(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := redisconn.Open(t.Context(), url(t), redisconn.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			test(t, c)
		})
	}
}

func engine(t *testing.T) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
