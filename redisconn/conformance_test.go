package redisconn

import (
	"testing"

	"github.com/larder-go/larder/cachetest"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

func conformance(t *testing.T, url string, opts Options) {
	t.Helper()
	cachetest.RunConn(t, func(t *testing.T) conn.Conn {
		t.Helper()
		c, err := Open(t.Context(), url, opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("tcp", func(t *testing.T) {
		t.Parallel()
		conformance(t, redistest.Start(t).URL(), Options{})
	})
	t.Run("unix", func(t *testing.T) {
		t.Parallel()
		conformance(t, redistest.Start(t).SocketURL()+"?db=3", Options{})
	})
	t.Run("tls", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartTLS(t, "--requirepass", "secret")
		conformance(t, "rediss://:secret@"+s.Addr(), Options{TLS: s.TLSConfig()})
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		conformance(t, redistest.Cluster(t, 3).URL(), Options{})
	})
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		s := redistest.StartSentinel(t, redistest.Start(t))
		conformance(t, "redis+sentinel://"+s.Addr()+"/"+redistest.MasterName+"/1", Options{})
	})
}
