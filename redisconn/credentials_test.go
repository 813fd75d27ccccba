package redisconn

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

func TestRotatingCredentials(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	setPassword := func(word string) {
		t.Helper()
		if _, err := s.Do("ACL", "SETUSER", "app", "on", "resetpass", ">"+word, "~*", "&*", "+@all"); err != nil {
			t.Fatal(err)
		}
	}
	var current atomic.Pointer[string]
	rotate := func(word string) { current.Store(&word); setPassword(word) }
	rotate("hush-1")
	var asked atomic.Int64
	c := open(t, s.URL(), Options{ReadWires: 3, Credentials: func(context.Context) (string, string, error) {
		asked.Add(1)
		return "app", *current.Load(), nil
	}})
	get := func() error {
		_, err := c.Do(t.Context(), conn.Key("GET", "k"))
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n < 1+3 {
		t.Errorf("asked %d times for %d connections", n, 1+3)
	}
	rotate("hush-2")
	lost := watchEpoch(t, c, "k")
	kill(t, s)
	<-lost
	// The killed connection's last call may fail; the next ones log in anew.
	eventually(t, get)

	setPassword("hush-3")
	kill(t, s)
	var err error
	eventually(t, func() error {
		if err = get(); err == nil {
			return errors.New("still logged in")
		}
		if conn.Code(err) != "WRONGPASS" {
			return err
		}
		return nil
	})
	if !errors.Is(err, conn.ErrUnavailable) || strings.Contains(err.Error(), "hush") {
		t.Errorf("a refused login gives %v", err)
	}
}

func TestCredentialsError(t *testing.T) {
	t.Parallel()
	mine := errors.New("vault is sealed")
	_, err := Open(t.Context(), redistest.Shared(t).URL(), Options{
		Credentials: func(context.Context) (string, string, error) { return "", "", mine },
	})
	if !errors.Is(err, mine) || !strings.Contains(err.Error(), "Options.Credentials") {
		t.Errorf("got %v", err)
	}
}

func TestSentinelCredentials(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, "--requirepass", "hush")
	sentinel := redistest.StartSentinel(t, master)
	for _, cmd := range [][]string{
		{"SENTINEL", "SET", redistest.MasterName, "auth-pass", "hush"},
		{"ACL", "SETUSER", "default", "resetpass", ">other"},
	} {
		if _, err := sentinel.Do(cmd...); err != nil {
			t.Fatal(err)
		}
	}
	url := "redis+sentinel://:hush@" + sentinel.Addr() + "/" + redistest.MasterName
	if _, err := Open(t.Context(), url, Options{}); conn.Code(err) != "NOAUTH" || strings.Contains(err.Error(), "hush") {
		t.Errorf("without the sentinel's password: %v", err)
	}
	c := open(t, url, Options{SentinelCredentials: func(context.Context) (string, string, error) { return "", "other", nil }})
	if _, err := c.Do(t.Context(), conn.Cmd("PING")); err != nil {
		t.Error(err)
	}
}

func TestDialOption(t *testing.T) {
	t.Parallel()
	s := redistest.Shared(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	c := open(t, "redis://not.a.host:1", Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		seen[network+" "+addr] = true
		mu.Unlock()
		return new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	}})
	if _, err := c.Do(t.Context(), conn.Cmd("PING")); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 || !seen["tcp not.a.host:1"] {
		t.Errorf("dialled %v", seen)
	}
}
