package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/gateway"
)

// pipeListener accepts connections that have neither buffers nor file
// descriptors: a client that does not read is noticed at once, and there may be
// thousands.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	open  atomic.Int64 // connections that the server has not closed
}

// servePipe serves g without a network.
func servePipe(t testing.TB, g *gateway.Gateway) *pipeListener {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: g, ReadHeaderTimeout: patience, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			l.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			l.open.Add(-1)
		}
	}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		_ = g.Close()
		_ = srv.Close()
		<-ended
	})
	return l
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
	case <-l.done:
	}
	return client
}

// subscribe opens a stream and reads up to its first event.
func (l *pipeListener) subscribe(channel string) (net.Conn, *bufio.Reader, error) {
	c := l.dial()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request("POST", "/subscribe/"+channel, "[]")); err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(c, 512)
	return c, r, await(r, "data: subscribe,"+channel+",1")
}

// await reads up to a line.
func await(r *bufio.Reader, want string) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
		if strings.TrimSpace(line) == want {
			return nil
		}
	}
}

func request(method, path, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", method, path, token, len(body), body)
}
