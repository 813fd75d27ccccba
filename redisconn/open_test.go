package redisconn

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	locked := redistest.Start(t, "--requirepass", "the-hush-word")
	gone := redistest.Start(t)
	gone.Stop()
	secure := redistest.StartTLS(t)
	single, cluster := redistest.Shared(t), redistest.SharedCluster(t)

	for name, x := range map[string]struct {
		url  string
		want []string
	}{
		"unreachable":       {gone.URL(), []string{gone.Addr(), "refused"}},
		"no socket":         {"unix:///nonexistent/redis.sock", []string{"/nonexistent/redis.sock"}},
		"no password":       {locked.URL(), []string{locked.Addr(), "NOAUTH", "check user and password"}},
		"wrong password":    {"redis://:hush@" + locked.Addr(), []string{locked.Addr(), "WRONGPASS", "check user and password"}},
		"wrong user":        {"redis://hush:hush@" + single.Addr(), []string{single.Addr(), "WRONGPASS"}},
		"untrusted":         {secure.URL(), []string{secure.Addr(), "certificate", "Options.TLS"}},
		"no such database":  {single.URL() + "/9999", []string{single.Addr(), "DB index"}},
		"cluster as server": {cluster.Masters[0].URL(), []string{"cluster mode", "redis+cluster://"}},
		"server as cluster": {"redis+cluster://" + single.Addr(), []string{single.Addr(), "does not run in cluster mode", "redis://"}},
		"unknown master":    {"redis+sentinel://" + single.Addr() + "/main", []string{single.Addr()}},
		"cluster, all gone": {"redis+cluster://" + gone.Addr() + "," + gone.Addr(), []string{gone.Addr(), "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), x.url, Options{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range x.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the error tells secrets: %v", err)
			}
			if !errors.Is(err, conn.ErrUnavailable) {
				t.Errorf("%v is not ErrUnavailable", err)
			}
		})
	}
}

// TestOpenHonoursItsContext opens a listener that never answers.
func TestOpenHonoursItsContext(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"redis", "redis+cluster", "rediss"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		_, err := Open(ctx, scheme+"://"+l.Addr().String(), Options{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > DefaultDialTimeout/2 {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(start))
		}
	}
	start := time.Now()
	if _, err := Open(t.Context(), "redis://"+l.Addr().String(), Options{DialTimeout: 50 * time.Millisecond}); err == nil ||
		errors.Is(err, context.DeadlineExceeded) || time.Since(start) > DefaultDialTimeout/2 {
		t.Errorf("%v after %v; want an error that is not of the caller's context", err, time.Since(start))
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	single := redistest.Start(t)
	c := open(t, single.URL(), Options{ClientName: "larder-test", ReadWires: 3})
	caps := c.Capabilities()
	if caps.Server != "redis" || strings.Count(caps.Version, ".") != 2 || caps.Cluster || !caps.Tracking || !caps.Blocking {
		t.Errorf("server: %+v", caps)
	}
	if list, err := single.Do("CLIENT", "LIST"); err != nil || strings.Count(list, "name=larder-test ") < 1+3 {
		t.Errorf("%v\n%s", err, list)
	}
	if caps := open(t, redistest.SharedCluster(t).URL(), Options{}).Capabilities(); !caps.Cluster || !caps.Tracking {
		t.Errorf("cluster: %+v", caps)
	}
	if _, err := single.Do("ACL", "SETUSER", "plain", "on", ">word", "~*", "&*", "+@all", "-client|tracking", "-info"); err != nil {
		t.Fatal(err)
	}
	c = open(t, "redis://plain:word@"+single.Addr(), Options{})
	if tr, ok := c.Tracker(); ok || tr != nil || c.Capabilities().Tracking {
		t.Errorf("a user who may not use CLIENT TRACKING has a Tracker: %+v", c.Capabilities())
	}
	if _, err := c.Do(t.Context(), conn.Key("SET", "capabilities", "x")); err != nil {
		t.Error(err)
	}
}

// Proxies and old servers know no HELLO: there is no RESP3 then, and no tracking.
func TestServerWithoutRESP3(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--rename-command", "HELLO", "")
	c := open(t, server.URL(), Options{})
	if tr, ok := c.Tracker(); ok || tr != nil || c.Capabilities().Tracking {
		t.Errorf("there is a Tracker: %+v", c.Capabilities())
	}
	if _, known := c.Incarnation("k"); !known {
		t.Error("the incarnation is not known without tracking")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, got := make(chan struct{}), make(chan conn.Message, 1)
	done := make(chan error, 1)
	go func() {
		done <- c.Subscribe(ctx, conn.Subscription{
			Channels: []string{"a", "b"}, Ready: func() { close(ready) },
		}, func(m conn.Message) { got <- m })
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	if v, err := c.Do(ctx, conn.Cmd("PUBLISH", "b", "news")); err != nil || v.Int != 1 {
		t.Fatal(v, err)
	}
	if m := <-got; m.Channel != "b" || m.Payload != "news" {
		t.Errorf("got %+v", m)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Subscribe returned %v", err)
	}
}

func TestValkeyIsRecognised(t *testing.T) {
	t.Parallel()
	got := fields("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n")
	if got["valkey_version"] != "8.1.0" || got["redis_version"] != "7.2.4" {
		t.Errorf("got %v", got)
	}
}
