package upstash_test

import (
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/upstash"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

const (
	token = "secret-token"
	// patience bounds every wait for an event.
	patience = 15 * time.Second
)

// serve puts a gateway in front of c and returns its URL.
func serve(t testing.TB, c conn.Conn) string {
	t.Helper()
	g, err := gateway.New(c, gateway.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
		_ = c.Close()
	})
	return srv.URL
}

func engine(t testing.TB) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func redis(t testing.TB, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{SilenceTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// opener opens handles that the caller closes.
func opener(url string) func(*testing.T) conn.Conn {
	return func(t *testing.T) conn.Conn {
		t.Helper()
		c, err := upstash.Open(t.Context(), url, token, upstash.Options{Timeout: patience})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}
